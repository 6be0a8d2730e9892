import type { Settings, Source } from "./read_settings.ts";
import { type Row, settings } from "./settings.ts";

/**
 * Checks the rules between settings. Maskline refuses to start without a security setting: a key has no
 * default, and rejected messages are never dropped silently.
 *
 * @returns one text per problem, each of which begins with the setting's name
 */
export function checkSettings(settings: Settings): readonly string[] {
  const problems: string[] = [];
  if (settings.VAULT === "on" && !settings.VAULT_PUBLIC_KEY) {
    problems.push(
      "VAULT_PUBLIC_KEY: is not set. Generate a key pair with `maskline keygen`, or set VAULT=off and " +
        "REJECTED_TO=queue",
    );
  }
  if (settings.VAULT === "off" && settings.REJECTED_TO === "table") {
    problems.push(
      "REJECTED_TO: expected queue with VAULT=off, got table. The table stores only sealed bodies",
    );
  }
  if (settings.REJECTED_TO === "queue" && !settings.SQS_DLQ_URL) {
    problems.push("SQS_DLQ_URL: is not set. It is required when REJECTED_TO=queue");
  }
  if (settings.SQS_DLQ_URL && settings.SQS_DLQ_URL.href === settings.SQS_QUEUE_URL?.href) {
    problems.push(
      "SQS_DLQ_URL: expected another queue than SQS_QUEUE_URL, got the same. Rejected messages would be " +
        "received again indefinitely",
    );
  }
  if (settings.MAX_IN_FLIGHT < settings.BATCH_ROWS) {
    problems.push(
      `MAX_IN_FLIGHT: expected at least BATCH_ROWS (${settings.BATCH_ROWS}), got ` +
        `${settings.MAX_IN_FLIGHT}. Otherwise no batch reaches its size`,
    );
  }
  return problems;
}

/**
 * Returns a warning for each secret that is more exposed than necessary. Every process of the same user
 * can read an environment variable in `/proc/<pid>/environ`. Child processes inherit it, and dumps contain
 * it. A file that only the worker can read avoids all three.
 */
export function findExposedSecrets(source: Source): string[] {
  return Object.entries<Row>(settings).flatMap(([name, row]) => {
    if (!row.secret) return [];
    const path = source.get(`${name}_FILE`);
    if (path) {
      return source.othersMayRead(path)
        ? [
          `${name}_FILE: other users can read the file. Make the worker's user its owner and set mode 400`,
        ]
        : [];
    }
    // Other tools often need a database URL. Only Maskline needs the keys.
    return source.get(name) && row.kind === "keys"
      ? [`${name}: is set in the environment. Use ${name}_FILE with a path to keep it out of /proc`]
      : [];
  });
}
