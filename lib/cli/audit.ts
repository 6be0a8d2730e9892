import { listAudit } from "../custody/audit.ts";
import { type AuditEntry, type AuditHead, verifyAudit } from "../custody/verify_audit.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { readLimit } from "./flags.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** `maskline audit` */
export const audit: Command = {
  usage: "audit verify [--head NUMBER:HASH] | audit list [--limit N] [--json]",
  help: `
Shows who did what with originals, and verifies that no entry was changed since. Needs
VAULT_DATABASE_URL or else DATABASE_URL.

verify reads all entries: they are numbered from 1 without gaps, and each has the hash of the previous one
and of its own columns. It prints a line that ends in the head, NUMBER:HASH. Keep it where the database's
owner cannot write: only an earlier head shows that entries were removed from the end, or that the whole
chain was rewritten.

list prints the newest entries first: number, time, role, user of the operating system, action, field,
mask, reason, ticket and detail, separated by tabs, and - for what is missing. The role comes from the
database. The user is reported by the client, unverified.

  --head NUMBER:HASH  a head that verify printed earlier, which must still be in the chain
  --limit N           at most N entries, 1 to 10000 (default 100)
  --json              one JSON object on each line

  maskline audit verify --head "$(tail -n 1 heads.txt)"
  maskline audit list --json | jq -r .os_user | sort | uniq -c`,
  options: { head: { type: "string" }, limit: { type: "string" }, json: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [verb] }) {
    if (verb === "verify" && !("limit" in flags || "json" in flags)) {
      const head = readHead(flags["head"]);
      return await withDatabases(
        io.source,
        { uses: "vault" },
        (databases) => verify(io, databases, head),
      );
    }
    if (verb === "list" && !("head" in flags)) {
      const limit = readLimit(flags) ?? 100;
      return await withDatabases(
        io.source,
        { uses: "vault" },
        (databases) => list(io, databases, limit, flags),
      );
    }
    throw new UsageError(`Expected: maskline ${audit.usage}`);
  },
};

async function verify(
  io: Io,
  { vault }: Databases,
  earlier: AuditHead | undefined,
): Promise<number> {
  const { head, fault } = await verifyAudit(vault, { head: earlier });
  if (fault) {
    io.err(`The audit log is broken at entry ${fault.number}: ${fault.what}\n`);
    return exit.failed;
  }
  const { number, hash } = head;
  io.out(
    `ok ${number} ${number === "1" ? "entry" : "entries"}; ` +
      `keep this line to prove later that none was removed: ${number}:${hash}\n`,
  );
  return exit.done;
}

async function list(
  io: Io,
  { vault }: Databases,
  limit: number,
  { json }: Arguments["flags"],
): Promise<number> {
  const entries = await listAudit(vault, limit);
  for (const entry of entries) io.out(`${json ? escapeJson(entry) : formatEntry(entry)}\n`);
  if (entries.length === 0 && !json) io.err("The audit log has no entries\n");
  return exit.done;
}

function formatEntry(entry: AuditEntry): string {
  const { number, at, role, os_user, action, field, mask, reason, ticket, detail } = entry;
  return [number, at, role, os_user, action, field, mask, reason, ticket, detail]
    .map((part) => part === null ? "-" : escapeText(part)).join("\t");
}

/** @throws {UsageError} */
function readHead(text: string | boolean | undefined): AuditHead | undefined {
  if (text === undefined) return undefined;
  // The whole line that was kept is accepted, because it ends in the head.
  const [, number, hash] = /(?:^|: )(0|[1-9]\d{0,18}):([0-9a-f]{64})\s*$/.exec(String(text)) ?? [];
  if (number && hash) return { number, hash };
  throw new UsageError("--head: expected NUMBER:HASH, or the line that verify printed earlier");
}
