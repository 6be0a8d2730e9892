/** Lists the children of a process. Stop it first, or it can have another child when this returns. */
export async function childrenOf(pid: number): Promise<number[]> {
  try {
    return numbers(await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`));
  } catch {
    // Other systems than Linux have `ps`.
    const ps = new Deno.Command("ps", { args: ["-A", "-o", "pid=,ppid="] });
    const { stdout } = await ps.output();
    return new TextDecoder().decode(stdout).split("\n").map(numbers)
      .filter(([, parent]) => parent === pid).flatMap(([child = 0]) => child);
  }
}

function numbers(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
