import { deepStrictEqual } from "node:assert";
import { findExposedSecrets } from "../../lib/config/check_settings.ts";
import { environment } from "../../lib/config/read_settings.ts";
import { fakeSource } from "../support/fake_io.ts";

Deno.test("findExposedSecrets() names keys, and repeats no value, when they are in the environment", () => {
  const source = fakeSource({ MASK_KEY: "k1:zq7", DATABASE_URL: "postgres://u:zq7@db/app" });
  deepStrictEqual(findExposedSecrets(source), [
    "MASK_KEY: is set in the environment. Use MASK_KEY_FILE with a path to keep it out of /proc",
  ]);
});

Deno.test("findExposedSecrets() names files when other users can read them", () => {
  const source = fakeSource({ MASK_KEY_FILE: "/open/key", DATABASE_URL_FILE: "/closed/url" });
  deepStrictEqual(findExposedSecrets(source), [
    "MASK_KEY_FILE: other users can read the file. Make the worker's user its owner and set mode 400",
  ]);
});

Deno.test("othersMayRead() returns true when the file's mode lets other users read it", async () => {
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
