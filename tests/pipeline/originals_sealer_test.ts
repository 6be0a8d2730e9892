import { deepStrictEqual, strictEqual } from "node:assert";
import type { PersonalValue } from "../../lib/pipeline/mask_cache.ts";
import { OriginalsSealer, type UnmaskedEvent } from "../../lib/pipeline/originals_sealer.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { open } from "../support/open_sealed.ts";

const keys = await generateVaultKeys();
const sealer = await createSealer({ id: "v1", bytes: keys.publicKey });
const NONE: ReadonlySet<string> = new Set();

function create() {
  const clock = new ManualClock();
  return { clock, originals: new OriginalsSealer(sealer, clock) };
}

function valueOf(original: string, field = "ip"): PersonalValue {
  return { field, original, mask: `k1.${original}`, keptDay: "", keptAt: 0 };
}

function eventOf(id: string, personal: PersonalValue[], dateSent = "2026-02-03"): UnmaskedEvent {
  return { id, dateSent, personal };
}

Deno.test("seal() seals each value for its field and mask, so that the private key opens it", async () => {
  const { originals } = create();
  const { rows } = await originals.seal([
    eventOf("a", [valueOf("::1"), valueOf("Zoë", "device_id")]),
  ]);
  const privateKey = { id: "v1", bytes: keys.privateKey };
  const opened = await Promise.all(
    rows.map(({ sealed, field, mask }) =>
      open(privateKey, Uint8Array.from(sealed), { field, mask })
    ),
  );
  deepStrictEqual(opened, ["::1", "Zoë"]);
  deepStrictEqual(rows.map(({ sealed: _, ...row }) => row), [
    { id: "a", dateSent: "2026-02-03", field: "ip", mask: "k1.::1", keyId: "v1" },
    { id: "a", dateSent: "2026-02-03", field: "device_id", mask: "k1.Zoë", keyId: "v1" },
  ]);
});

Deno.test("seal() seals a value once, and names all events that have it, when there are several", async () => {
  const { originals } = create();
  const value = valueOf("::1");
  const { rows } = await originals.seal([
    eventOf("a", [value], "2026-02-02"),
    eventOf("b", [value], "2026-02-04"),
  ]);
  deepStrictEqual(rows.map(({ id, dateSent }) => [id, dateSent]), [
    ["a", "2026-02-02"],
    ["b", "2026-02-04"],
  ]);
  strictEqual(rows[0]?.sealed, rows[1]?.sealed);
});

Deno.test("remember() keeps the newest day of the events that were new", async () => {
  const { originals } = create();
  const value = valueOf("::1");
  const sealed = await originals.seal([
    eventOf("a", [value], "2026-02-03"),
    eventOf("b", [value], "2026-02-04"),
    eventOf("c", [value], "2026-02-05"),
  ]);
  sealed.remember(new Set(["c"]));
  deepStrictEqual((await originals.seal([eventOf("d", [value], "2026-02-04")])).rows, []);
  strictEqual((await originals.seal([eventOf("e", [value], "2026-02-05")])).rows.length, 1);
});

Deno.test("seal() seals again when the previous batch was never committed", async () => {
  const { originals } = create();
  const value = valueOf("::1");
  await originals.seal([eventOf("a", [value])]);
  strictEqual((await originals.seal([eventOf("a", [value])])).rows.length, 1);
});

Deno.test("seal() seals nothing when the value was committed on that day or later", async () => {
  const { originals } = create();
  const value = valueOf("::1");
  (await originals.seal([eventOf("a", [value])])).remember(NONE);
  deepStrictEqual((await originals.seal([eventOf("b", [value])])).rows, []);
  deepStrictEqual((await originals.seal([eventOf("c", [value], "2026-02-02")])).rows, []);
});

Deno.test("seal() seals again when the day is later, so that the vault records the newer day", async () => {
  const { originals } = create();
  const value = valueOf("::1");
  (await originals.seal([eventOf("a", [value])])).remember(NONE);
  strictEqual((await originals.seal([eventOf("b", [value], "2026-02-04")])).rows.length, 1);
});

Deno.test("seal() seals again when its entry is ten minutes old, because the original may be forgotten since", async () => {
  const { clock, originals } = create();
  const value = valueOf("::1");
  (await originals.seal([eventOf("a", [value])])).remember(NONE);
  await clock.advance(599_000);
  strictEqual((await originals.seal([eventOf("b", [value])])).rows.length, 0);
  await clock.advance(2_000);
  strictEqual((await originals.seal([eventOf("c", [value])])).rows.length, 1);
});

Deno.test("remember() skips values of duplicates, because they were not written", async () => {
  const { originals } = create();
  const [one, other] = [valueOf("::1"), valueOf("::2")];
  const sealed = await originals.seal([eventOf("a", [one]), eventOf("b", [other])]);
  sealed.remember(new Set(["a"]));
  const { rows } = await originals.seal([eventOf("c", [one, other])]);
  deepStrictEqual(rows.map(({ mask }) => mask), ["k1.::1"]);
});

Deno.test("seal() seals nothing when there is no vault", async () => {
  const { rows } = await new OriginalsSealer().seal([eventOf("a", [valueOf("::1")])]);
  deepStrictEqual(rows, []);
});
