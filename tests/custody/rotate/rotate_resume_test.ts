import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createTestKeys, textOf } from "../../support/kept_originals.ts";
import { expectDone } from "../../support/line.ts";
import { startMaskline } from "../../support/maskline.ts";
import {
  byUser,
  command,
  createRotating,
  groupsOf,
  masksByKey,
  openedLogins,
  type Rotating,
  RUN,
  sharedLogins,
  stepsIn,
} from "../../support/rotating.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";

const server = await sharedPostgres();
const logins = sharedLogins(40);

/** Expects that every mask in the rows still opens to its original. */
async function expectWhole({ inside, keys }: Rotating): Promise<void> {
  deepStrictEqual(await openedLogins(inside, [keys.old]), logins.toSorted(byUser));
}

async function expectRotated(rotating: Rotating, key: string, groups: unknown): Promise<void> {
  const { inside } = rotating;
  await expectWhole(rotating);
  const { rows, vault } = await masksByKey(inside);
  deepStrictEqual([Object.keys(rows), Object.keys(vault)], [[key], [key]]);
  deepStrictEqual(await groupsOf(inside), groups);
  strictEqual(await stepsIn(inside), 0);
}

/** Lets the n-th statement that writes from now on end its connection; null for none. */
async function setFuse({ inside }: Rotating, length: number | null): Promise<void> {
  await inside.query(
    `DROP SEQUENCE IF EXISTS public.fuse;
    CREATE SEQUENCE public.fuse;
    CREATE OR REPLACE FUNCTION public.burn() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('public.fuse') = ${length ?? -1} THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
      END IF;
      RETURN NULL;
    END $$`,
  );
}

async function addFuses({ inside }: Rotating): Promise<void> {
  const tables = ["maskline.vault", "maskline.rotation", "maskline.reveal_audit", "user_logins"];
  for (const table of tables) {
    await inside.query(
      `CREATE TRIGGER fuse AFTER INSERT OR UPDATE OR DELETE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION public.burn()`,
    );
  }
}

/** A rotation of one page has ten writes: two to the audit log, five in phase 1, one for each walk, two in phase 3. */
Deno.test("rotate run loses nothing and completes when any of its writes is interrupted, forward and back", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, keys, settings } = rotating;
  const groups = await groupsOf(inside);
  await setFuse(rotating, null);
  await addFuses(rotating);
  const there = { ...settings };
  const back = {
    ...settings,
    MASK_KEY: `${textOf(keys.old.maskKey)},${textOf(keys.new.maskKey)}`,
  };
  for (let length = 1;; length++) {
    const [forward, key] = length % 2 === 1 ? [there, "k2"] : [back, "k1"];
    await setFuse(rotating, length);
    const { code } = await command(RUN, forward);
    await expectWhole(rotating);
    if (code === 0) {
      ok(length > 8, `It had only ${length} writes`);
      return await expectRotated(rotating, key, groups);
    }
    await setFuse(rotating, null);
    strictEqual((await command(RUN, forward)).code, 0);
    await expectRotated(rotating, key, groups);
  }
});

Deno.test("rotate run moves everything back when any of its writes was interrupted and the old key is first again", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, keys, settings } = rotating;
  const groups = await groupsOf(inside);
  await setFuse(rotating, null);
  await addFuses(rotating);
  const back = {
    ...settings,
    MASK_KEY: `${textOf(keys.old.maskKey)},${textOf(keys.new.maskKey)}`,
  };
  for (let length = 2; length <= 10; length++) {
    await setFuse(rotating, length);
    await command(RUN, settings);
    await setFuse(rotating, null);
    strictEqual((await command(RUN, back)).code, 0);
    await expectRotated(rotating, "k1", groups);
  }
});

Deno.test("rotate run moves everything to a third key when any of its writes to the second was interrupted", async () => {
  for (let length = 2; length <= 9; length++) {
    await using rotating = await createRotating(server, logins);
    const groups = await groupsOf(rotating.inside);
    await setFuse(rotating, length);
    await addFuses(rotating);
    strictEqual((await command(RUN, rotating.settings)).code, 1);
    await setFuse(rotating, null);
    const { maskKey } = await createTestKeys("k3");
    const MASK_KEY = `${textOf(maskKey)},${rotating.settings["MASK_KEY"]}`;
    strictEqual((await command(RUN, { ...rotating.settings, MASK_KEY })).code, 0);
    await expectRotated(rotating, "k3", groups);
  }
});

Deno.test("rotate run keeps an original when its step is recorded, no new entry is stored, and it does not open", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, settings } = rotating;
  await inside.query(
    `INSERT INTO maskline.rotation (field, old_mask, new_mask)
      SELECT field, mask, 'k2.' || substr(mask, 4) FROM maskline.vault`,
  );
  await inside.query(
    "UPDATE maskline.vault SET sealed = set_byte(sealed, 95, get_byte(sealed, 95) # 1)",
  );
  const before = await masksByKey(inside);
  strictEqual((await command(RUN, settings)).code, 1);
  deepStrictEqual(await masksByKey(inside), before);
});

for (const phase of ["1 of 3", "2 of 3", "3 of 3"]) {
  Deno.test(`rotate run completes when its process is killed in phase ${phase}`, async () => {
    await using rotating = await createRotating(server, logins);
    const { inside, settings } = rotating;
    const groups = await groupsOf(inside);
    const killed = startMaskline(RUN, { env: settings });
    await killed.untilErr(new RegExp(`${phase}, .*…`));
    killed.kill("SIGKILL");
    await killed.ended;
    await expectWhole(rotating);
    await expectDone(startMaskline(RUN, { env: settings }).ended);
    await expectRotated(rotating, "k2", groups);
  });
}
