/** Returns the CPU time of a process, user and system, in milliseconds (Linux: /proc, in ticks of 10 ms). */
export function cpuMilliseconds(pid: number): number {
  const [, rest = ""] = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Measures a process' resident memory ten times a second until it is disposed of. */
export function watchMemory(pid: number): Disposable & { readonly peakMiB: number } {
  let peak = 0;
  const look = () => {
    try {
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      peak = Math.max(peak, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, 100);
  return {
    get peakMiB() {
      return Math.round(peak);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
