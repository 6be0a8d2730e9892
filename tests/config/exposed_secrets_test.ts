import { deepStrictEqual } from "node:assert";
import { findExposedSecrets } from "../../lib/config/check_settings.ts";
import { environment } from "../../lib/config/read_settings.ts";
import { fakeSource } from "../support/fake_io.ts";

Deno.test("findExposedSecrets() tells of keys that stand in the environment, and repeats none", () => {
  const source = fakeSource({ MASK_KEY: "k1:zq7", DATABASE_URL: "postgres://u:zq7@db/app" });
  deepStrictEqual(findExposedSecrets(source), [
    "MASK_KEY: is set in the environment. Use MASK_KEY_FILE with a path to keep it out of /proc",
  ]);
});

Deno.test("findExposedSecrets() tells of files that others may read", () => {
  const source = fakeSource({ MASK_KEY_FILE: "/open/key", DATABASE_URL_FILE: "/closed/url" });
  deepStrictEqual(findExposedSecrets(source), [
    "MASK_KEY_FILE: other users can read the file. Make the worker's user its owner and set mode 400",
  ]);
});

Deno.test("othersMayRead() goes by the file's mode", async () => {
  const path = await Deno.makeTempFile();
  try {
    const found = [];
    for (const mode of [0o400, 0o600, 0o640, 0o604, 0o644]) {
      await Deno.chmod(path, mode);
      found.push(environment.othersMayRead(path));
    }
    deepStrictEqual(found, [false, false, true, true, true]);
  } finally {
    await Deno.remove(path);
  }
});
