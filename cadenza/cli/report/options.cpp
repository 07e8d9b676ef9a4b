#include "cadenza/cli/command.h"

namespace cadenza {

void describe_report(CommandTable& table) {
  table.add(
      {.name = "report",
       .summary = "tables and one HTML file from benchmark runs",
       .description =
           "RUN is what `cadenza benchmark` got as --out. The HTML file needs nothing else: it can "
           "be mailed. Several runs are compared; mean and deviation are over seeds. Markdown and "
           "CSV go to standard output unless --out names a file.",
       .arguments = {text_argument("runs", "RUN", "run folders").positional().repeated().required(),
                     text_argument("out", "FILE",
                                   "file to write; HTML: report.html of the run, or in this folder "
                                   "for several"),
                     argument(choice_option("format", "html", {"html", "markdown", "csv"},
                                            "what to write"),
                              "FORMAT")},
       .examples = {"cadenza report runs/patchcore", "cadenza report runs/* --out compared.html",
                    "cadenza report runs/* --format markdown"}});
}

}  // namespace cadenza
