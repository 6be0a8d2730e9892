import { statement } from "../statement.ts";

/** The messages that do not satisfy the contract, each with its reason and its sealed body. */
export const rejected = {
  version: 2,
  name: "rejected",
  statement: statement(`
CREATE TABLE maskline.rejected (
  message_id text COLLATE "C" PRIMARY KEY,
  sent_at timestamptz NOT NULL,
  rejected_at timestamptz NOT NULL DEFAULT now(),
  receive_count integer NOT NULL,
  reason text NOT NULL,
  field text,
  sqlstate text,
  sealed bytea NOT NULL,
  key_id text NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded'))
);

CREATE INDEX rejected_open ON maskline.rejected (rejected_at) WHERE status = 'open';`),
};
