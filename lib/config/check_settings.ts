import type { Settings, Source } from "./read_settings.ts";
import { type Row, settings } from "./settings.ts";

/**
 * The rules that hold between settings. A missing security setting refuses to start: there is no
 * default for a key, and no way to drop rejected messages silently.
 *
 * @returns a sentence a problem, each beginning with the setting's name
 */
export function checkSettings(settings: Settings): readonly string[] {
  const problems: string[] = [];
  if (settings.VAULT === "on" && !settings.VAULT_PUBLIC_KEY) {
    problems.push(
      "VAULT_PUBLIC_KEY: is not set. Make one with `maskline keygen`, or say VAULT=off and REJECTED_TO=queue",
    );
  }
  if (settings.VAULT === "off" && settings.REJECTED_TO === "table") {
    problems.push(
      "REJECTED_TO: must be queue with VAULT=off, since the table holds rejected bodies sealed only",
    );
  }
  if (settings.REJECTED_TO === "queue" && !settings.SQS_DLQ_URL) {
    problems.push("SQS_DLQ_URL: is not set, and REJECTED_TO=queue needs it");
  }
  if (settings.SQS_DLQ_URL && settings.SQS_DLQ_URL.href === settings.SQS_QUEUE_URL?.href) {
    problems.push(
      "SQS_DLQ_URL: is the queue that is read, so rejected messages would come for ever",
    );
  }
  if (settings.MAX_IN_FLIGHT < settings.BATCH_ROWS) {
    problems.push(
      `MAX_IN_FLIGHT: ${settings.MAX_IN_FLIGHT} is below BATCH_ROWS (${settings.BATCH_ROWS}), so no batch would fill`,
    );
  }
  return problems;
}

/**
 * Where the secrets of these settings lie more open than they need to, a sentence each. A variable of
 * the environment stands in `/proc/<pid>/environ` for everybody who runs as the same user, is handed to
 * every child, and gets into dumps; a file that the worker alone may read does not.
 */
export function findExposedSecrets(source: Source): string[] {
  return Object.entries<Row>(settings).flatMap(([name, row]) => {
    if (!row.secret) return [];
    const path = source.get(`${name}_FILE`);
    if (path) {
      return source.othersMayRead(path)
        ? [`${name}_FILE: others may read the file too; chmod 400 and its owner the worker's user`]
        : [];
    }
    // A database's URL is often needed by other tools; what makes or opens masks is not.
    return source.get(name) && row.kind === "keys"
      ? [`${name}: stands in the environment; ${name}_FILE, a path, keeps it out of /proc`]
      : [];
  });
}
