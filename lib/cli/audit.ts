import { type AuditEntry, type AuditHead, verifyAudit } from "../custody/verify_audit.ts";
import type { Database } from "../store/postgres/database.ts";
import { newestAuditEntries } from "../store/postgres/sql/audit.ts";
import { withVault } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, readLimit, UsageError } from "./command.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** `maskline audit` */
export const audit: Command = {
  usage: "audit verify [--head NUMBER:HASH] | audit list [--limit N] [--json]",
  help: `
Shows who did what with originals, and checks that no entry was changed since. Needs
VAULT_DATABASE_URL or else DATABASE_URL.

verify walks all entries: numbered from 1 without gaps, each with the hash of the one before and of its
own columns. It prints a line that ends in the head, NUMBER:HASH. Keep it where the database's owner
cannot write: entries cut off the end, or a whole chain made anew, are found only by an earlier head.

list prints the newest entries first: number, time, role, user of the operating system, action, field,
mask, reason, ticket and detail, with tabs between, and - for what is not there. The role is the
database's word; the user is that of whoever ran the command, and no proof.

  --head NUMBER:HASH  what an earlier verify printed, which must still be there
  --limit N           at most N entries, 1 to 10000 (default 100)
  --json              one JSON object a line

  maskline audit verify --head "$(tail -n 1 heads.txt)"
  maskline audit list --json | jq -r .os_user | sort | uniq -c`,
  options: { head: { type: "string" }, limit: { type: "string" }, json: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [verb] }) {
    if (verb === "verify" && !("limit" in flags || "json" in flags)) {
      const head = readHead(flags["head"]);
      return await withVault(io, [], ({ vault }) => verify(io, vault, head));
    }
    if (verb === "list" && !("head" in flags)) {
      const limit = readLimit(flags) ?? 100;
      return await withVault(io, [], ({ vault }) => list(io, vault, limit, flags));
    }
    throw new UsageError(`Wanted: maskline ${audit.usage}`);
  },
};

async function verify(io: Io, vault: Database, kept: AuditHead | undefined): Promise<number> {
  const { head, fault } = await verifyAudit(vault, { head: kept });
  if (fault) {
    io.err(`The audit is broken at entry ${fault.number}: ${fault.what}\n`);
    return exit.failed;
  }
  const { number, hash } = head;
  io.out(
    `ok ${number} ${number === "1" ? "entry" : "entries"}; ` +
      `keep this line to prove later that none was cut off: ${number}:${hash}\n`,
  );
  return exit.done;
}

async function list(
  io: Io,
  vault: Database,
  limit: number,
  { json }: Arguments["flags"],
): Promise<number> {
  const entries = await vault.query<AuditEntry>(newestAuditEntries, [limit]);
  for (const entry of entries) io.out(`${json ? escapeJson(entry) : formatEntry(entry)}\n`);
  if (entries.length === 0 && !json) io.err("Nothing is noted\n");
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
  // The whole line that was kept will do, as its last word does.
  const [, number, hash] = /(?:^|: )(0|[1-9]\d{0,18}):([0-9a-f]{64})\s*$/.exec(String(text)) ?? [];
  if (number && hash) return { number, hash };
  throw new UsageError("--head: wanted NUMBER:HASH, or the line that an earlier verify printed");
}
