import { type Settings, SettingsError } from "../config/read_settings.ts";
import { nearest } from "../config/read_value.ts";
import { reasons } from "../contract/reasons.ts";
import type { Justification } from "../custody/audit.ts";
import { Replayer, type ReplayKind } from "../custody/replay.ts";
import { createFastMasker } from "../mask/fast_mask.ts";
import { MaskCache } from "../pipeline/mask_cache.ts";
import { OriginalsSealer } from "../pipeline/originals_sealer.ts";
import { createTransform } from "../pipeline/transform.ts";
import type { Database } from "../store/postgres/database.ts";
import { hasKeys } from "../store/postgres/sql/ledger.ts";
import { openRejectedIds } from "../store/postgres/sql/rejected.ts";
import { createKeyChain } from "../vault/open.ts";
import { checkDedupeField, selectContract, toStoredTable } from "../worker/contract.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { createMaskerOptions, openKeyPair } from "../worker/keys.ts";
import { type Arguments, type Command, exit, type Io, readLimit, UsageError } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";
import { escapeText } from "./terminal/escape.ts";

/** `maskline rejected replay` */
export const rejectedReplay: Command = {
  usage: "rejected replay ID… | --where-reason CODE [--limit N] --reason TEXT [--ticket ID] " +
    "[--dry-run]",
  help: `
Brings messages that were set aside through the line again, after the contract, the program or the table
was mended: under their own ids, so that none can make two rows. What comes through is a row and its
sealed body is erased; what does not stays open. Needs VAULT_PRIVATE_KEY, VAULT_PUBLIC_KEY (or VAULT=off),
and MASK_KEY, MASK_PEPPER and DEDUPE_FIELD exactly as the workers have them: with others the rows get
masks that join with nothing. Exits with 0 only if all were replayed.

  --where-reason CODE   all open ones that were set aside for this reason, the oldest first
  --limit N             at most N of them, 1 to 10000 (default all)
  --reason TEXT         why, for the audit
  --ticket ID           what it belongs to, for the audit
  --dry-run             tells what would become of each, and changes and notes nothing

  maskline rejected replay --where-reason store_refused --reason 'the check was wrong' --dry-run`,
  options: {
    ...justificationFlags,
    "where-reason": { type: "string" },
    limit: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  words: [0, 1000],
  async run(io, { flags, words }) {
    const why = readJustification(io, flags);
    const asked = askedFor(flags, words);
    return await withDatabases(io, ["VAULT_PRIVATE_KEY", "MASK_KEY"], async (databases) => {
      const dryRun = flags["dry-run"] === true;
      const replayer = await openReplayer(databases, why, dryRun);
      const ids = await asked(databases.database);
      return await replayAll(io, replayer, ids, dryRun);
    });
  },
};

/** Checks what was asked for, and gives what finds the ids. */
function askedFor(
  flags: Arguments["flags"],
  words: readonly string[],
): (database: Database) => Promise<readonly string[]> {
  const { "where-reason": code } = flags;
  const limit = readLimit(flags);
  if ((code === undefined) === (words.length === 0) || (limit && code === undefined)) {
    throw new UsageError(`Wanted: maskline ${rejectedReplay.usage}`);
  }
  if (typeof code !== "string") return () => Promise.resolve([...new Set(words)]);
  if (!Object.hasOwn(reasons, code)) {
    const meant = nearest(code, Object.keys(reasons));
    throw new UsageError(
      "--where-reason: there is no such reason" + (meant ? `, did you mean ${meant}?` : ""),
    );
  }
  return async (database) => {
    const rows = await database.query<{ message_id: string }>(openRejectedIds, [
      code,
      limit ?? null,
    ]);
    return rows.map(({ message_id }) => message_id);
  };
}

async function openReplayer(
  databases: Databases,
  why: Justification,
  dryRun: boolean,
): Promise<Replayer> {
  const { settings } = databases;
  const { MASK_KEY, VAULT } = settings;
  const problems = [...findProblems(settings), ...await missingDedupe(databases)];
  if (problems.length > 0 || !MASK_KEY) throw new SettingsError(problems);
  const contract = selectContract(settings);
  const fields = contract.fields.filter(({ personal }) => personal).map(({ name }) => name);
  const masker = await createFastMasker(createMaskerOptions(MASK_KEY, fields, settings));
  // The body is erased, so what is sealed instead must be known to open.
  const { keys, sealer } = VAULT === "on"
    ? await openKeyPair(settings)
    : { keys: createKeyChain(settings.VAULT_PRIVATE_KEY ?? []), sealer: undefined };
  return new Replayer({
    databases,
    table: toStoredTable(contract),
    keys,
    transform: createTransform(contract, new MaskCache({ masker })),
    originals: new OriginalsSealer(sealer),
    why,
    dryRun,
  });
}

/** Without the workers' field an event that is on record by its key would make a second row. */
async function missingDedupe({ database, settings }: Databases): Promise<readonly string[]> {
  if (settings.DEDUPE_FIELD !== undefined) return [];
  const [keys] = await database.query<{ present: boolean }>(hasKeys);
  return keys?.present
    ? ["DEDUPE_FIELD: is not set, and the workers of this table have one; set the same"]
    : [];
}

function findProblems(settings: Settings): readonly string[] {
  const problems = [...checkDedupeField(settings)];
  if (settings.VAULT === "on" && !settings.VAULT_PUBLIC_KEY) {
    problems.push("VAULT_PUBLIC_KEY: is not set, and originals are sealed unless VAULT=off");
  }
  return problems;
}

/** How the summary calls each end; the first four are always told. */
const ENDINGS: readonly [kind: ReplayKind, words: string][] = [
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
      const { kind, said } = await replayer.replay(id);
      tried++;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      // An id that nobody knows is not repeated: it may be a personal value in the wrong place.
      if (kind === "unknown") io.err(`Message ${tried} of the command line ${said}\n`);
      else if (kind !== "replayed") io.err(`${escapeText(`Message ${id} ${said}`)}\n`);
    }
  } finally {
    const told = ENDINGS.flatMap(([kind, word], index) => {
      const count = counts.get(kind) ?? 0;
      return count > 0 || index < 4 ? [`${count} ${word}`] : [];
    });
    if (tried < ids.length) told.push(`${ids.length - tried} not tried`);
    io.out(`${dryRun ? "Would be: " : ""}${told.join(", ")}\n`);
  }
  return counts.get("replayed") === ids.length || ids.length === 0 ? exit.done : exit.failed;
}
