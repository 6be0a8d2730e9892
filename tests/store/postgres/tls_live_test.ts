import { statement } from "../../../lib/store/postgres/statement.ts";
import { deepStrictEqual, rejects } from "node:assert";
import { createCertificates, hasOpenssl } from "../../support/certificates.ts";
import { startPostgres } from "../../support/postgres_server.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { open } from "../../support/test_store.ts";

const ignore = !await hasOpenssl();

/** Whether the connection is encrypted. */
async function ask(server: string, host: string, query: string): Promise<boolean | undefined> {
  const url = new URL(server);
  url.hostname = host;
  url.search = query;
  const database = open({ url });
  try {
    const [row] = await database.query<{ ssl: boolean }>(
      statement("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
    );
    return row?.ssl;
  } finally {
    await database.close();
  }
}

Deno.test({
  name: "openDatabase() encrypts, and verifies the server, when the URL says so",
  ignore,
  async fn() {
    await using certificates = await createCertificates();
    await using server = await startPostgres({ settings: certificates.settings });
    const { authority, stranger } = certificates;
    const say = (query: string, host = "localhost") => ask(server.url, host, query);
    deepStrictEqual(await say(""), false);
    deepStrictEqual(await say("sslmode=disable"), false);
    deepStrictEqual(await say("sslmode=require"), true);
    deepStrictEqual(await say(`sslmode=verify-full&sslrootcert=${authority}`), true);
    const refused = (query: string, code: string, host?: string) =>
      rejects(() => say(query, host), { kind: "fatal", code });
    await refused("sslmode=verify-full", "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    await refused(
      `sslmode=verify-full&sslrootcert=${stranger}`,
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
    await refused(`sslmode=require&sslrootcert=${stranger}`, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    await refused(
      `sslmode=verify-full&sslrootcert=${authority}`,
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "127.0.0.1",
    );
  },
});

Deno.test("openDatabase() is fatal, and reports what to do, when the server offers no TLS", async () => {
  // An earlier version retried, and did not report TLS as the cause.
  const server = await sharedPostgres();
  await rejects(() => ask(server.url, "localhost", "sslmode=require"), {
    kind: "fatal",
    code: "no_tls",
    message:
      "Postgres offers no TLS; if the network is trusted, add sslmode=disable to DATABASE_URL",
  });
});
