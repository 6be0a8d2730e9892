import type { BenchArguments } from "./arguments.ts";
import type { Contestant } from "./contestant.ts";
import { masklineContestants } from "./maskline_contestants.ts";
import type { Ground } from "./measure.ts";
import { limitContestants } from "./limit_contestants.ts";
import { pythonContestant } from "./python_contestant.ts";
import { sqsConsumerContestant } from "./sqs_consumer_contestant.ts";

/** Everybody who takes part, in the order of the table. Disposing of it removes what was compiled. */
export interface Contestants extends AsyncDisposable {
  readonly list: readonly Contestant[];
}

/** Finds out who can run on this machine, and prepares them. Who cannot is in the list all the same. */
export async function findContestants(
  args: BenchArguments,
  ground: Ground,
  say: (line: string) => void,
): Promise<Contestants> {
  const { messages, pythonMessages, only } = args;
  const wanted = (id: string) => only.length === 0 || only.some((part) => id.includes(part));
  const directory = await Deno.makeTempDir({ prefix: "maskline-bench-" });
  const remove = () => Deno.remove(directory, { recursive: true });
  try {
    const binary = `${directory}/maskline`;
    const list: Contestant[] = [
      ...await masklineContestants({ messages, binary, ground, wanted, say }),
      ...limitContestants(messages),
      ...(wanted("sqs-consumer") ? [await sqsConsumerContestant(messages, say)] : []),
      ...(wanted("python") ? [await pythonContestant(pythonMessages)] : []),
    ];
    return { list: list.filter(({ id }) => wanted(id)), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
