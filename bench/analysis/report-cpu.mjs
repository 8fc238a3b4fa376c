// Loaded into a measured process by `--import`: it writes the CPU time so far to standard error whenever it is asked by
// a signal. `ps` counts in steps that are too coarse for a few milliseconds.
process.on("SIGUSR2", () => process.stderr.write(`${JSON.stringify(process.cpuUsage())}\n`));
