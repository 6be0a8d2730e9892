import { childrenOf } from "../support/process_tree.ts";

/** Milliseconds of a clock tick: USER_HZ is 100 on every Linux that Deno runs on. */
const TICK_MS = 10;

/**
 * CPU time that a process and the children it has buried used, user and system, in milliseconds. The
 * resolution is 10 ms, so that a short run tells little.
 */
export function cpuOf(pid: number): number {
  // The name of the program stands in brackets and may hold anything, brackets included.
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), where the state is the third.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** {@linkcode cpuOf} a process and of the children that live. A child that has just gone is left out. */
export async function cpuOfTree(pid: number): Promise<number> {
  let sum = 0;
  for (const child of await childrenOf(pid)) {
    try {
      sum += cpuOf(child);
    } catch {
      // It has ended, and its time stands with its parent's.
    }
  }
  return sum + cpuOf(pid);
}

/** The most memory that a process ever had resident, in MiB. */
export function peakMemoryOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}
