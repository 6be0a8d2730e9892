import type { Source } from "./read_settings.ts";
import type { Row } from "./setting_row.ts";
import { settings } from "./settings.ts";

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
