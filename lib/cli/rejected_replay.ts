import { findNearest } from "../config/read_value.ts";
import { reasons } from "../contract/reasons.ts";
import { findReplayable, openReplayer, type Replayer, type ReplayKind } from "../custody/replay.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { JUSTIFICATION_HELP, justificationFlags, readJustification, readLimit } from "./flags.ts";
import { escapeText } from "./terminal/escape.ts";

/** `maskline rejected replay` */
export const rejectedReplay: Command = {
  usage: "rejected replay ID… | --where-reason CODE [--limit N] --reason TEXT [--ticket ID] " +
    "[--dry-run]",
  help: `
Processes rejected messages again, after the contract, the program or the table was fixed. They keep their
ids, so that none can become two rows. A message that is accepted becomes a row and its sealed body is
erased. The others stay open. Needs VAULT_PRIVATE_KEY, VAULT_PUBLIC_KEY (or VAULT=off), and MASK_KEY,
MASK_PEPPER and DEDUPE_FIELD exactly as the workers have them: with other keys the rows get masks that join
with nothing. Exits with 0 only if all were replayed.

  --where-reason CODE   all open ones that were rejected for this reason, the oldest first
  --limit N             at most N of them, 1 to 10000 (default all)
${JUSTIFICATION_HELP}
  --dry-run             print the result for each, and change and record nothing

  maskline rejected replay --where-reason store_refused --reason 'the check was wrong' --dry-run`,
  options: {
    ...justificationFlags,
    "where-reason": { type: "string" },
    limit: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  words: [0, 1000],
  async run(io, { flags, words }) {
    const justification = readJustification(io, flags);
    const findIds = readSelection(flags, words);
    const needs = { settings: ["VAULT_PRIVATE_KEY", "MASK_KEY"] } as const;
    return await withDatabases(io.source, needs, async (databases) => {
      const dryRun = flags["dry-run"] === true;
      const replayer = await openReplayer(databases, { justification, dryRun });
      return await replayAll(io, replayer, await findIds(databases), dryRun);
    });
  },
};

/** Checks which messages were asked for, and returns a function that finds their ids. */
function readSelection(
  flags: Arguments["flags"],
  words: readonly string[],
): (databases: Databases) => Promise<readonly string[]> {
  const { "where-reason": code } = flags;
  const limit = readLimit(flags);
  if ((code === undefined) === (words.length === 0) || (limit && code === undefined)) {
    throw new UsageError(`Expected: maskline ${rejectedReplay.usage}`);
  }
  if (typeof code !== "string") return () => Promise.resolve([...new Set(words)]);
  if (!Object.hasOwn(reasons, code)) {
    const meant = findNearest(code, Object.keys(reasons));
    throw new UsageError(
      "--where-reason: there is no such reason" + (meant ? `, did you mean ${meant}?` : ""),
    );
  }
  return ({ database }) => findReplayable(database, code, limit ?? null);
}

/** How the summary names each result. The first four are always printed. */
const RESULTS: readonly [kind: ReplayKind, words: string][] = [
  ["replayed", "replayed"],
  ["rejected", "still rejected"],
  ["refused", "refused"],
  ["duplicate", "duplicates"],
  ["unopened", "not opened"],
  ["closed", "closed before"],
  ["unknown", "unknown"],
];

async function replayAll(
  io: Io,
  replayer: Replayer,
  ids: readonly string[],
  dryRun: boolean,
): Promise<number> {
  const counts = new Map<ReplayKind, number>();
  let tried = 0;
  try {
    for (const id of ids) {
      if (io.signal.aborted) break;
      const { kind, description } = await replayer.replay(id);
      tried++;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      // An unknown id is not repeated, because it may be a personal value in the wrong place.
      if (kind === "unknown") io.err(`Message ${tried} of the command line ${description}\n`);
      else if (kind !== "replayed") io.err(`${escapeText(`Message ${id} ${description}`)}\n`);
    }
  } finally {
    const summary = RESULTS.flatMap(([kind, words], index) => {
      const count = counts.get(kind) ?? 0;
      return count > 0 || index < 4 ? [`${count} ${words}`] : [];
    });
    if (tried < ids.length) summary.push(`${ids.length - tried} not tried`);
    io.out(`${dryRun ? "Would be: " : ""}${summary.join(", ")}\n`);
  }
  return counts.get("replayed") === ids.length || ids.length === 0 ? exit.done : exit.failed;
}
