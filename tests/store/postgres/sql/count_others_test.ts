import { deepStrictEqual, ok } from "node:assert";
import { login } from "../../../../lib/contract/login.ts";
import { countOthers } from "../../../../lib/store/postgres/sql/rows.ts";
import { toMaskedTable } from "../../../../lib/worker/contract.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import { createStore } from "../../../support/test_store.ts";

const server = await sharedPostgres();
const table = toMaskedTable(login);

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Plan Rows": number;
  readonly Plans?: readonly Node[];
}

function flatten(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}

for (const count of [3, 300]) {
  Deno.test(`countOthers() reads the table once and does not sort it when ${count} masks are given`, async () => {
    await using store = await createStore(server);
    await store.inside.query(
      `INSERT INTO user_logins (user_id, masked_ip, masked_device_id)
        SELECT 'user' || n % 5000, 'ip' || n % 10000, 'device' || n FROM generate_series(1, 50000) AS n`,
    );
    await store.inside.query("ANALYZE user_logins");
    ok(table.subject);
    const ips = Array.from({ length: count }, (_, index) => `ip${index}`);
    const devices = Array.from({ length: count }, (_, index) => `device${index}`);
    const [row] = await store.inside.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
      `EXPLAIN (FORMAT JSON) ${countOthers(table, table.subject).text}`,
      [
        "user1",
        [...ips.map(() => "ip"), ...devices.map(() => "device_id")],
        [...ips, ...devices],
        ips,
        devices,
      ],
    );
    const nodes = flatten(row?.["QUERY PLAN"][0].Plan ?? { "Node Type": "none", "Plan Rows": 0 });
    const scans = nodes.filter((node) => node["Relation Name"] === "user_logins");
    deepStrictEqual(scans.map((node) => node["Node Type"]), ["Seq Scan"]);
    const sorted = nodes.filter((node) => node["Node Type"] === "Sort");
    deepStrictEqual(sorted.filter((node) => node["Plan Rows"] > 10_000), []);
    deepStrictEqual(nodes.filter((node) => /Merge Join|Hash Join/.test(node["Node Type"])), []);
  });
}
