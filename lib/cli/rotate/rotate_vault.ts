import type { Settings } from "../../config/read_settings.ts";
import type { Why } from "../../store/audit.ts";
import { exit } from "../command.ts";
import { ownSealer } from "../own_sealer.ts";
import { noteRotation } from "./note_rotation.ts";
import { runPhase } from "./phase.ts";
import { resealBodies } from "./reseal_bodies.ts";
import { resealEntries } from "./reseal_entries.ts";
import { goOn, type Rotation } from "./rotation.ts";
import { thousands } from "../thousands.ts";

/**
 * Brings every sealed value, in the vault and among the rejections, to the key of VAULT_PUBLIC_KEY, while
 * workers go on, and gives the exit status. It may be killed at any moment and run again.
 *
 * @throws {SettingsError} the private half of that key is not there, or does not belong to it
 * @throws {StoreError | RangeError} what is done stays done; run it again
 */
export async function rotateVault(
  rotation: Rotation,
  settings: Settings,
  why: Why,
): Promise<number> {
  const { io } = rotation;
  const own = await ownSealer(settings);
  const first = own.sealer.keyId;
  await goOn(rotation);
  const others = own.keys.ids.filter((id) => id !== first);
  const name = `vault ${others.join(", ") || "nothing"} → ${first}`;
  await noteRotation(rotation, why, `${name}: begins`);

  const entries = await runPhase(io, "1 of 2, vault", async (shown) => {
    const done = await resealEntries(rotation, own, shown);
    return { ...done, words: `${thousands(done.changed)} entries sealed anew` };
  });
  const bodies = await runPhase(io, "2 of 2, rejected", async (shown) => {
    const done = await resealBodies(rotation, own, shown);
    return { ...done, words: `${thousands(done.changed)} bodies sealed anew` };
  });

  const left = entries.left.total + bodies.left.total;
  const counts = `${thousands(entries.changed)} entries, ${thousands(bodies.changed)} bodies, ` +
    `${thousands(left)} left alone`;
  await noteRotation(rotation, why, `${name}: ${counts}`);
  for (const text of entries.left.lines("vault entries")) io.err(text);
  for (const text of bodies.left.lines("rejected bodies")) io.err(text);
  io.out(`${name}: ${counts}\n`);
  return left === 0 ? exit.done : exit.failed;
}
