import type { Settings } from "../../config/read_settings.ts";
import type { Justification } from "../../store/audit.ts";
import { exit } from "../command.ts";
import { openKeyPair } from "../own_sealer.ts";
import { recordRotation } from "./note_rotation.ts";
import { runPhase } from "./phase.ts";
import { resealBodies } from "./reseal_bodies.ts";
import { resealEntries } from "./reseal_entries.ts";
import { assertLockHeld, type Rotation } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

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
  why: Justification,
): Promise<number> {
  const { io } = rotation;
  const own = await openKeyPair(settings);
  const first = own.sealer.keyId;
  await assertLockHeld(rotation);
  const others = own.keys.ids.filter((id) => id !== first);
  const name = `vault ${others.join(", ") || "nothing"} → ${first}`;
  await recordRotation(rotation, why, `${name}: begins`);

  const entries = await runPhase(io, "1 of 2, vault", async (shown) => {
    const done = await resealEntries(rotation, own, shown);
    return { ...done, words: `${formatCount(done.changed)} entries sealed anew` };
  });
  const bodies = await runPhase(io, "2 of 2, rejected", async (shown) => {
    const done = await resealBodies(rotation, own, shown);
    return { ...done, words: `${formatCount(done.changed)} bodies sealed anew` };
  });

  const left = entries.left.total + bodies.left.total;
  const counts =
    `${formatCount(entries.changed)} entries, ${formatCount(bodies.changed)} bodies, ` +
    `${formatCount(left)} left alone`;
  await recordRotation(rotation, why, `${name}: ${counts}`);
  for (const text of entries.left.lines("vault entries")) io.err(text);
  for (const text of bodies.left.lines("rejected bodies")) io.err(text);
  io.out(`${name}: ${counts}\n`);
  return left === 0 ? exit.done : exit.failed;
}
