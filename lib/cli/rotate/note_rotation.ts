import { noteAudit, type Why } from "../../store/audit.ts";
import type { Rotation } from "./rotation.ts";

/** Notes in the audit how far a rotation is. It is about no value in particular. @throws {StoreError} */
export async function noteRotation({ vault }: Rotation, why: Why, detail: string): Promise<void> {
  const subjects = [{ field: null, mask: null }];
  await noteAudit(vault, { action: "rotate", subjects, ...why, detail });
}
