import { type Justification, recordAudit } from "../../store/audit.ts";
import type { Rotation } from "./rotation.ts";

/** Notes in the audit how far a rotation is. It is about no value in particular. @throws {StoreError} */
export async function recordRotation(
  { vault }: Rotation,
  why: Justification,
  detail: string,
): Promise<void> {
  const subjects = [{ field: null, mask: null }];
  await recordAudit(vault, { action: "rotate", subjects, ...why, detail });
}
