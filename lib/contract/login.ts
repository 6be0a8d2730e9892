import type { Contract } from "./contract.ts";

/** The login event: the user, the device and the address. It is stored in `public.user_logins`. */
export const login: Contract = {
  name: "login",
  table: { schema: "public", name: "user_logins" },
  fields: [
    {
      name: "user_id",
      rule: { kind: "text", min: 1, max: 128 },
      column: { name: "user_id", type: "varchar(128)" },
    },
    {
      name: "device_type",
      rule: { kind: "text", min: 1, max: 32 },
      column: { name: "device_type", type: "varchar(32)" },
    },
    {
      name: "ip",
      rule: { kind: "ip_address" },
      column: { name: "masked_ip", type: "varchar(256)" },
      personal: true,
    },
    {
      name: "device_id",
      rule: { kind: "text", min: 1, max: 256, normalize: true },
      column: { name: "masked_device_id", type: "varchar(256)" },
      personal: true,
    },
    {
      name: "locale",
      rule: { kind: "text", min: 1, max: 32 },
      column: { name: "locale", type: "varchar(32)" },
      optional: true,
    },
    {
      name: "app_version",
      rule: { kind: "app_version" },
      column: { name: "app_version", type: "integer" },
    },
  ],
  subject: "user_id",
  sentDate: { name: "create_date", type: "date" },
};
