import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { resolveTls, type Tls } from "../../../lib/store/postgres/tls.ts";

const VERIFIED: Tls = { rejectUnauthorized: true };

function tls(url: string): Tls {
  return resolveTls(new URL(url));
}

for (const host of ["localhost", "127.0.0.1", "127.255.0.9", "[::1]", "[0:0:0:0:0:0:0:1]"]) {
  Deno.test(`resolveTls() wants no TLS when the host is ${host}`, () => {
    strictEqual(tls(`postgres://app@${host}:5433/app`), false);
  });
}

for (
  const host of [
    "db.example.org",
    "10.0.0.1",
    "[::2]",
    "[::ffff:127.0.0.1]",
    // Looks like the loopback, and is somebody else's.
    "localhost.example.org",
    "127.0.0.1.example.org",
    "1127.0.0.1",
    "%6cocalhost",
  ]
) {
  Deno.test(`resolveTls() wants a verified certificate when the host is ${host}`, () => {
    deepStrictEqual(tls(`postgres://app@${host}/app`), VERIFIED);
  });
}

const modes: readonly [mode: string, wanted: Tls][] = [
  ["disable", false],
  ["require", { rejectUnauthorized: false }],
  ["verify-ca", VERIFIED],
  ["verify-full", VERIFIED],
];
for (const [mode, wanted] of modes) {
  Deno.test(`resolveTls() does what the URL says when sslmode is ${mode}, wherever the host is`, () => {
    for (const host of ["db.example.org", "127.0.0.1"]) {
      deepStrictEqual(tls(`postgres://app@${host}/app?sslmode=${mode}`), wanted);
    }
  });
}

for (const mode of ["allow", "prefer", "no-verify", "VERIFY-FULL", "true", ""]) {
  Deno.test(`resolveTls() throws when sslmode is ${JSON.stringify(mode)}`, () => {
    throws(() => tls(`postgres://app:zq7@localhost/app?sslmode=${mode}`), {
      name: "OperationError",
      message: "The database's URL: wanted sslmode=disable, require, verify-ca or verify-full",
    });
  });
}

Deno.test("resolveTls() brings the authority's certificate along when sslrootcert names one", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "an authority");
  const wanted = { rejectUnauthorized: true, ca: "an authority" };
  for (const query of ["", "sslmode=verify-ca&", "sslmode=verify-full&"]) {
    deepStrictEqual(tls(`postgres://db/app?${query}sslrootcert=${file}`), wanted);
  }
  await Deno.remove(file);
});

Deno.test("resolveTls() verifies the certificate when sslmode is require and an authority is named", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "an authority");
  deepStrictEqual(tls(`postgres://db/app?sslmode=require&sslrootcert=${file}`), {
    rejectUnauthorized: true,
    ca: "an authority",
  });
  await Deno.remove(file);
});

Deno.test("resolveTls() throws when the authority's certificate cannot be read", () => {
  throws(() => tls("postgres://db/app?sslrootcert=/no/such/file"), {
    name: "OperationError",
    message: "The database's URL: sslrootcert cannot be read (NotFound)",
  });
});

// The driver takes these from the query, past what the URL's host and sslmode have decided.
for (
  const query of ["host=db.example.org", "hostaddr=10.0.0.1", "port=5433", "ssl=0", "ssl=true"]
) {
  Deno.test(`resolveTls() throws when the query says ${query}`, () => {
    throws(() => tls(`postgres://app:zq7@localhost/app?${query}`), {
      name: "OperationError",
      message: `The database's URL: wanted no ${query.split("=")[0]} in the query; ` +
        "host and port stand before it, and sslmode says how to encrypt",
    });
  });
}
