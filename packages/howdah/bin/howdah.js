#!/usr/bin/env node
// Committed, so that npm can link it before the build exists.
import "../dist/cli/main.js";
