import { type MaskRotation, rotateMasks } from "../custody/rotate/masks.ts";
import type {
  Rotation,
  RotationProgress,
  SkippedEntries,
  SkipReason,
} from "../custody/rotate/rotation.ts";
import { readRotationStatus } from "../custody/rotate/status.ts";
import { rotateVault, type VaultRotation } from "../custody/rotate/vault.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { JUSTIFICATION_HELP, justificationFlags, readJustification } from "./flags.ts";
import { formatStatus, formatStatusJson } from "./rotate_status.ts";
import { escapeText } from "./terminal/escape.ts";
import { formatCount } from "./terminal/format.ts";
import { type Progress, startProgress } from "./terminal/progress.ts";

/** `maskline rotate` */
export const rotate: Command = {
  usage: "rotate status [--json] | rotate run --reason TEXT [--ticket ID] [--vault]",
  help: `
Moves what is stored from old keys to a new one, while workers continue.

A new mask key: put it first, MASK_KEY=k2:…,k1:…, and restart every worker. Then \`rotate run\` opens the
originals with VAULT_PRIVATE_KEY, stores each under its new mask, changes the rows, and removes the old
entries: equal values have equal masks again, in new and old rows. A row whose original is not in the vault
keeps its mask. Needs VAULT_PUBLIC_KEY, and the same MASK_PEPPER as the workers.

A new vault key: restart every worker with VAULT_PUBLIC_KEY=v2:…. Then \`rotate run --vault\` with
VAULT_PRIVATE_KEY=v2:…,v1:… re-seals every original and every rejected body.

Both may be killed at any moment: run the command again to continue. Only one runs at a time. The audit log
records when it begins and when it ends. Exit status 1 if a value could not be moved to the new key; it is
left as it is.

${JUSTIFICATION_HELP}
  --vault        the vault key instead of the mask key
  --json         status as one JSON object

  maskline rotate status
  maskline rotate run --reason 'yearly change of the mask key'`,
  options: { ...justificationFlags, vault: { type: "boolean" }, json: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [verb] }) {
    const given = Object.keys(flags);
    if (verb === "status" && hasOnly(given, ["json"])) {
      return await withDatabases(
        io.source,
        { settings: ["MASK_KEY"] },
        (databases) => printStatus(io, databases, flags),
      );
    }
    if (verb === "run" && hasOnly(given, ["reason", "ticket", "vault"])) {
      return flags["vault"] ? await runVault(io, flags) : await runMasks(io, flags);
    }
    throw new UsageError(`Expected: maskline ${rotate.usage}`);
  },
};

function hasOnly(given: readonly string[], allowed: readonly string[]): boolean {
  return given.every((name) => allowed.includes(name));
}

async function printStatus(
  io: Io,
  databases: Databases,
  { json }: Arguments["flags"],
): Promise<number> {
  const status = await readRotationStatus({ databases, signal: io.signal });
  io.out(json ? formatStatusJson(status) : formatStatus(status));
  return exit.done;
}

async function runMasks(io: Io, flags: Arguments["flags"]): Promise<number> {
  const justification = readJustification(io, flags);
  const settings = ["MASK_KEY", "VAULT_PUBLIC_KEY", "VAULT_PRIVATE_KEY"] as const;
  return await withDatabases(io.source, { settings }, async (databases) => {
    const result = await watch(
      io,
      databases,
      MASK_PHASES,
      (rotation) => rotateMasks(rotation, justification),
    );
    return reportMasks(io, result, databases);
  });
}

async function runVault(io: Io, flags: Arguments["flags"]): Promise<number> {
  const justification = readJustification(io, flags);
  const settings = ["VAULT_PUBLIC_KEY", "VAULT_PRIVATE_KEY"] as const;
  return await withDatabases(io.source, { settings }, async (databases) => {
    const result = await watch(
      io,
      databases,
      VAULT_PHASES,
      (rotation) => rotateVault(rotation, justification),
    );
    return reportVault(io, result);
  });
}

/** How a phase is named, what it counts, and how its end is described. */
interface PhaseWords {
  readonly name: string;
  readonly noun: string;
  readonly end: string;
}

type Phases = Partial<Record<RotationProgress["phase"], PhaseWords>>;

const MASK_PHASES: Phases = {
  vault: { name: "1 of 3, vault", noun: "entries", end: "entries stored under new masks" },
  rows: { name: "2 of 3, rows", noun: "rows", end: "rows changed" },
  "old entries": { name: "3 of 3, old entries", noun: "entries", end: "removed" },
};

const VAULT_PHASES: Phases = {
  vault: { name: "1 of 2, vault", noun: "entries", end: "entries re-sealed" },
  rejected: { name: "2 of 2, rejected", noun: "bodies", end: "bodies re-sealed" },
};

/** Runs a rotation and shows its progress. */
async function watch<T>(
  io: Io,
  databases: Databases,
  phases: Phases,
  run: (rotation: Rotation) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  const report = ({ phase, state, count, walk, share }: RotationProgress) => {
    const { name, noun, end } = phases[phase] ?? { name: phase, noun: "", end: "" };
    if (state === "begins") progress = startProgress(io, name);
    else if (state === "ends") progress?.end(`${formatCount(count)} ${end}`);
    else {
      const which = walk === undefined ? "" : `, walk ${walk}`;
      progress?.update(`${formatCount(count)} ${noun}${which}`, share);
    }
  };
  try {
    return await run({ databases, signal: io.signal, report });
  } finally {
    progress?.stop();
  }
}

/** Prints the result, and returns `failed` if a value could be moved to the new key and was not. */
function reportMasks(io: Io, result: MaskRotation, { settings }: Databases): number {
  const { name, entries, rows, removed, skipped, storedMeanwhile: stray } = result;
  io.err(formatSkipped(skipped, "vault entries"));
  const known = new Set((settings.MASK_KEY ?? []).map(({ id }) => id));
  let late = 0;
  for (const { field, key, rows: count, withoutOriginal } of result.oldRows) {
    const keep = `rows keep a mask of ${key} in the field ${field}`;
    if (withoutOriginal > 0) {
      io.err(
        `${
          formatCount(withoutOriginal)
        } ${keep}: the vault has no original for it (forgotten, or stored ` +
          "with VAULT=off)\n",
      );
    }
    const others = count - withoutOriginal;
    if (others === 0) continue;
    late += others;
    const reason = key !== null && known.has(key)
      ? "they were stored meanwhile, or their original was skipped"
      : "the key is not in MASK_KEY";
    io.err(`${formatCount(others)} ${keep}: ${reason}\n`);
  }
  if (stray > 0) {
    io.err(
      `${
        formatCount(stray)
      } rows were stored with masks of an old key meanwhile: a worker still has that ` +
        "key first. Restart it; it seals these values when it receives them again. Then run this " +
        "command again\n",
    );
  }
  io.out(
    `${name}: ${formatCount(entries)} entries, ${formatCount(rows)} rows, ${
      formatCount(removed)
    } old ` +
      `entries removed, ${formatCount(skipped.total)} skipped\n`,
  );
  return skipped.total === 0 && late === 0 && stray <= 0 ? exit.done : exit.failed;
}

function reportVault(io: Io, result: VaultRotation): number {
  const { name, entries, bodies, skippedEntries, skippedBodies } = result;
  io.err(formatSkipped(skippedEntries, "vault entries"));
  io.err(formatSkipped(skippedBodies, "rejected bodies"));
  const skipped = skippedEntries.total + skippedBodies.total;
  io.out(
    `${name}: ${formatCount(entries)} entries, ${formatCount(bodies)} bodies, ` +
      `${formatCount(skipped)} skipped\n`,
  );
  return skipped === 0 ? exit.done : exit.failed;
}

const SKIPPED: Readonly<Record<SkipReason, (id: string) => string>> = {
  "unknown mask key": (id) => `have masks of the key ${id}, which is not in MASK_KEY`,
  "unknown vault key": (id) =>
    `are sealed to the vault key ${id}, which is not in VAULT_PRIVATE_KEY`,
  "does not open": (id) =>
    `do not open with the vault key ${id}: they were changed, or VAULT_PRIVATE_KEY has another key of ` +
    "that name",
  "other mask": (id) =>
    `open, but the key ${id} computes another mask of them: another client stored them there, or ` +
    "MASK_KEY or MASK_PEPPER was different then",
  "not a mask": () => "are stored under a text that is not a mask of a personal field",
};

/** @param what `vault entries` or `rejected bodies` */
function formatSkipped(skipped: SkippedEntries, what: string): string {
  return skipped.list().map(({ reason, keyId, count }) =>
    `Skipped: ${formatCount(count)} ${what} that ${SKIPPED[reason](escapeText(keyId))}\n`
  ).join("");
}
