// Carries the precompiled header that every file over LibTorch reuses.
