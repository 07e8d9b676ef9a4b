#include "cadenza/report/style.h"

namespace cadenza {

std::string_view report_style() noexcept {
  return R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --ink: #1e2022; --soft: #61666d; --rule: #e3e1da; --card: #ffffff;
  --accent: #0f6e6e; --alarm: #b3123f; --doubt: #8a5a00;
  --h0: #f4f6f4; --h1: #e6eeec; --h2: #d5e5e3; --h3: #c0dad8; --h4: #a8cdcb; --h5: #8cbdbc;
  --h6: #6dabab; --h7: #4f9a9a; --h8: #297474; --h9: #1a6a6b; --h10: #0b5455;
  --hink: #06201f; --hpale: #f4fbfa;
  --c0: #0f6e6e; --c1: #b8530f; --c2: #5b4a9c; --c3: #a3295f; --c4: #4d7a1e; --c5: #1f5fa8;
  --c6: #8a6d00; --c7: #6b4a3a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181a; --ink: #e8e6e1; --soft: #a0a4a9; --rule: #2f3236; --card: #1c1f22;
    --accent: #6cc5c1; --alarm: #ff7d9c; --doubt: #e2b05a;
    --h0: #1d2224; --h1: #1c2a2b; --h2: #1b3434; --h3: #1b3f3f; --h4: #1c4c4c; --h5: #1e5a5a;
    --h6: #226665; --h7: #267170; --h8: #419694; --h9: #62b0ad; --h10: #8fcdc9;
    --hink: #e4f1ef; --hpale: #0b2423;
    --c0: #6cc5c1; --c1: #f0a267; --c2: #b3a5f2; --c3: #f08bb4; --c4: #a8cf74; --c5: #86b6f0;
    --c6: #d9c25c; --c7: #c9a591;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body {
  max-width: 68rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3 { line-height: 1.2; font-weight: 600; letter-spacing: -0.01em; text-wrap: balance; }
h1 { font-size: 2rem; margin: 0.2rem 0 0.4rem; }
h2 { font-size: 1.25rem; margin: 3.2rem 0 0.4rem; }
h3 { font-size: 1rem; margin: 0 0 0.6rem; }
p { margin: 0.3rem 0 0.9rem; max-width: 44rem; }
a { color: var(--accent); }
code, .file { font: 0.86em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.overline { color: var(--soft); font-size: 0.8rem; letter-spacing: 0.08em; text-transform: uppercase; margin: 0; }
.soft, .remark { color: var(--soft); }
.remark { font-size: 0.85rem; margin: 0.5rem 0 0; }
.caveat {
  border-left: 3px solid var(--doubt); color: var(--doubt); padding: 0.1rem 0 0.1rem 0.8rem;
  font-weight: 600; margin: 0.8rem 0;
}
nav.contents { margin: 1.2rem 0 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.9rem; }
nav.contents a { text-decoration: none; }
nav.contents a:hover { text-decoration: underline; }

dl.key { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 0; margin: 1.8rem 0 0; border-top: 1px solid var(--rule); }
dl.key > div { padding: 0.85rem 1rem 0.9rem 0; border-bottom: 1px solid var(--rule); }
dl.key dt { font-size: 0.85rem; color: var(--soft); }
dl.key dd { margin: 0; }
dl.key dd.value { font-size: 1.5rem; line-height: 1.3; letter-spacing: -0.015em; white-space: nowrap; }
dl.key dd.value small { font-size: 0.85rem; color: var(--soft); letter-spacing: 0; }
dl.key dd.meaning { font-size: 0.78rem; line-height: 1.35; color: var(--soft); padding-right: 0.6rem; }

.scroll { overflow-x: auto; }
figure { margin: 1.2rem 0 0; }
table { border-collapse: collapse; font-size: 0.9rem; }
figure.table table { min-width: 60%; }
th, td { padding: 0.34rem 1.1rem 0.34rem 0; text-align: left; vertical-align: baseline; }
thead th { color: var(--soft); font-weight: 500; font-size: 0.82rem; border-bottom: 1px solid var(--rule); }
tbody th { font-weight: 500; white-space: nowrap; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
.number { text-align: right; white-space: nowrap; }
td strong { font-weight: 700; color: var(--accent); }

table.heat { border-collapse: separate; border-spacing: 3px; margin: 0.4rem 0 0 -3px; }
table.heat caption { caption-side: bottom; text-align: left; color: var(--soft); font-size: 0.8rem; padding: 0.5rem 3px 0; max-width: 40rem; }
table.heat th, table.heat tr + tr > * { border: 0; }
table.heat thead th { text-align: center; padding: 0.2rem 0.3rem; }
table.heat thead th:first-child { text-align: left; }
table.heat tbody th { padding: 0.2rem 0.8rem 0.2rem 0.3rem; white-space: nowrap; }
table.heat td { text-align: center; padding: 0.5rem 0.6rem; min-width: 4.2rem; border-radius: 4px; color: var(--hink); }
table.heat td small { display: block; font-size: 0.7rem; line-height: 1.1; opacity: 0.8; }
table.heat td.none { background: repeating-linear-gradient(-45deg, transparent 0 6px, var(--rule) 6px 7px); }
table.heat td.marked { box-shadow: inset 0 0 0 2px var(--ink); }
table.many { font-size: 0.78rem; }
table.many thead th { vertical-align: bottom; }
table.many thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
table.many td { min-width: 2.9rem; padding: 0.34rem 0.2rem; }
.h0 { background: var(--h0); } .h1 { background: var(--h1); } .h2 { background: var(--h2); }
.h3 { background: var(--h3); } .h4 { background: var(--h4); } .h5 { background: var(--h5); }
.h6 { background: var(--h6); }
table.heat td.h8, table.heat td.h9, table.heat td.h10 { color: var(--hpale); }
.h7 { background: var(--h7); } .h8 { background: var(--h8); } .h9 { background: var(--h9); } .h10 { background: var(--h10); }

.tabs { border: 0; margin: 0.8rem 0 0; padding: 0; min-width: 0; }
.tabs > input { position: absolute; opacity: 0; pointer-events: none; }
.tabs > .names { display: flex; flex-wrap: wrap; gap: 0.2rem 1.3rem; border-bottom: 1px solid var(--rule); }
.tabs > .names label { padding: 0.4rem 0; color: var(--soft); cursor: pointer; font-size: 0.92rem; border-bottom: 2px solid transparent; margin-bottom: -1px; }
.tabs > .names label:hover { color: var(--ink); }
.tabs > .panels > * { display: none; padding-top: 1rem; }
)css"
         R"css(
.tabs > input:nth-of-type(1):checked ~ .panels > :nth-child(1),
.tabs > input:nth-of-type(2):checked ~ .panels > :nth-child(2),
.tabs > input:nth-of-type(3):checked ~ .panels > :nth-child(3),
.tabs > input:nth-of-type(4):checked ~ .panels > :nth-child(4),
.tabs > input:nth-of-type(5):checked ~ .panels > :nth-child(5),
.tabs > input:nth-of-type(6):checked ~ .panels > :nth-child(6),
.tabs > input:nth-of-type(7):checked ~ .panels > :nth-child(7) { display: block; }
.tabs > input:nth-of-type(1):checked ~ .names > :nth-child(1),
.tabs > input:nth-of-type(2):checked ~ .names > :nth-child(2),
.tabs > input:nth-of-type(3):checked ~ .names > :nth-child(3),
.tabs > input:nth-of-type(4):checked ~ .names > :nth-child(4),
.tabs > input:nth-of-type(5):checked ~ .names > :nth-child(5),
.tabs > input:nth-of-type(6):checked ~ .names > :nth-child(6),
.tabs > input:nth-of-type(7):checked ~ .names > :nth-child(7) { color: var(--ink); border-color: var(--accent); font-weight: 600; }
.tabs > input:nth-of-type(1):focus-visible ~ .names > :nth-child(1),
.tabs > input:nth-of-type(2):focus-visible ~ .names > :nth-child(2),
.tabs > input:nth-of-type(3):focus-visible ~ .names > :nth-child(3),
.tabs > input:nth-of-type(4):focus-visible ~ .names > :nth-child(4),
.tabs > input:nth-of-type(5):focus-visible ~ .names > :nth-child(5),
.tabs > input:nth-of-type(6):focus-visible ~ .names > :nth-child(6),
.tabs > input:nth-of-type(7):focus-visible ~ .names > :nth-child(7) { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }

.beside { display: flex; flex-wrap: wrap; gap: 0.5rem 2.5rem; align-items: flex-start; }
.beside > .scroll { flex: 0 1 auto; max-width: 100%; }
.beside > svg.chart { flex: 1 1 30rem; min-width: min(100%, 27rem); margin: 0; }
.beside table.heat caption { max-width: 26rem; }
svg.chart { display: block; width: 100%; max-width: 46rem; height: auto; margin: 1.6rem 0 0.4rem; font: 12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
.chart .grid { stroke: var(--rule); stroke-width: 1; }
.chart .tick { fill: var(--soft); }
.chart .name { fill: var(--ink); font-size: 12.5px; }
.chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
.chart .leader { stroke: var(--soft); stroke-width: 0.7; opacity: 0.6; }
.chart .curve { fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; }
.chart .dot { fill: var(--line); }
.chart .name.c0, .chart .name.c1, .chart .name.c2, .chart .name.c3, .chart .name.c4, .chart .name.c5, .chart .name.c6, .chart .name.c7 { fill: var(--line); }
.c0 { --line: var(--c0); } .c1 { --line: var(--c1); } .c2 { --line: var(--c2); } .c3 { --line: var(--c3); }
.c4 { --line: var(--c4); } .c5 { --line: var(--c5); } .c6 { --line: var(--c6); } .c7 { --line: var(--c7); }
.mean { --line: var(--ink); }
.chart .curve.mean { stroke-width: 2.2; stroke-dasharray: 2 4; stroke-linecap: round; }
.chart .curve.second { stroke-dasharray: 7 3; }
.chart .name.mean { font-weight: 600; }
.chart .interval { stroke: var(--accent); stroke-width: 2.5; --line: var(--accent); }
.chart .target { stroke: var(--alarm); stroke-width: 1.4; stroke-dasharray: 3 3; }

.product { margin: 1.6rem 0 0; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.2rem, 1fr)); gap: 1.4rem 1.2rem; }
.example { margin: 0; font-size: 0.85rem; line-height: 1.4; }
.example .pair { display: flex; gap: 3px; border-radius: 5px; overflow: hidden; background: var(--rule); }
.example .pair > * { flex: 1 1 0; min-width: 0; position: relative; }
.example img { display: block; width: 100%; height: auto; }
.example svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.example .box { fill: none; stroke: #d8124a; stroke-width: 2; vector-effect: non-scaling-stroke; }
.example figcaption { padding-top: 0.45rem; }
.example .file { color: var(--soft); overflow-wrap: anywhere; font-size: 0.76rem; display: block; }
.label { font-weight: 600; }
.label.normal { color: var(--accent); } .label.defect { color: var(--alarm); } .label.unknown { color: var(--doubt); }
.wrong { color: var(--alarm); }
.scale { display: grid; grid-template-columns: 1fr 4fr; max-width: 22rem; font-size: 0.78rem; color: var(--soft); margin: 0.9rem 0 0; }
.scale .bar { grid-column: 1 / 3; height: 9px; border-radius: 3px; border: 1px solid var(--rule);
  background: linear-gradient(90deg, rgba(255,205,70,0) 0, rgba(255,205,70,.45) 20%, rgb(248,160,50) 20%, rgb(240,115,30) 60%, rgb(185,10,60) 100%); }
.scale span + span + span { text-align: right; }
.scale .ends { grid-column: 2; display: flex; justify-content: space-between; }
ul.notes { padding-left: 1.1rem; max-width: 48rem; }
ul.notes li { margin: 0.15rem 0; }
details { margin: 1rem 0 0; }
summary { cursor: pointer; color: var(--soft); font-size: 0.92rem; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.82rem; }
article.run .overline + h2 { margin-top: 0.2rem; }
figure + article.run,
article.run + article.run { margin-top: 4rem; padding-top: 1rem; border-top: 2px solid var(--rule); }

@media print {
  :root { color-scheme: light; }
  html { background: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav.contents, .tabs > .names { display: none; }
  .tabs > .panels > * { display: block !important; break-inside: avoid; }
  .panel-name { position: static; width: auto; height: auto; clip-path: none; overflow: visible; }
  table.heat td, .scale .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .example, figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  details > * { display: block; }
}
@media (max-width: 40rem) { body { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.5rem; } }
)css";
}

}  // namespace cadenza
