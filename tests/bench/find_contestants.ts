import type { BenchArguments } from "./arguments.ts";
import type { Contestant } from "./contestant.ts";
import { masklineContestants } from "./maskline_contestants.ts";
import type { Ground } from "./measure.ts";
import { limitContestants } from "./limit_contestants.ts";
import { pythonContestant } from "./python_contestant.ts";
import { sqsConsumerContestant } from "./sqs_consumer_contestant.ts";

/** All contestants, in the order of the table. Disposing of it removes the compiled program. */
export interface Contestants extends AsyncDisposable {
  readonly list: readonly Contestant[];
}

/** Prepares the contestants. One that cannot run on this machine is in the list too, as skipped. */
export async function findContestants(
  args: BenchArguments,
  ground: Ground,
  say: (line: string) => void,
): Promise<Contestants> {
  const { messages, pythonMessages, only } = args;
  const isSelected = (id: string) => only.length === 0 || only.some((part) => id.includes(part));
  const directory = await Deno.makeTempDir({ prefix: "maskline-bench-" });
  const remove = () => Deno.remove(directory, { recursive: true });
  try {
    const binary = `${directory}/maskline`;
    const list: Contestant[] = [
      ...await masklineContestants({ messages, binary, ground, isSelected, say }),
      ...limitContestants(messages),
      ...(isSelected("sqs-consumer") ? [await sqsConsumerContestant(messages, say)] : []),
      ...(isSelected("python") ? [await pythonContestant(pythonMessages)] : []),
    ];
    return { list: list.filter(({ id }) => isSelected(id)), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
