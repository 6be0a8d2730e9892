import type {
  CarrierCount,
  MaskCount,
  MaskedValue,
  RowRange,
  RowStore,
  SubjectTraces,
} from "../row_store.ts";
import type { Queryable } from "./database.ts";
import { notNullColumns } from "./sql/catalog.ts";
import { recordRemoved } from "./sql/counters.ts";
import { countRowMasks, remaskRows } from "./sql/row_masks.ts";
import {
  anonymiseRows,
  countCarriers,
  countOthers,
  deleteRows,
  findSubjectMasks,
  lockForgetting,
  type SubjectMask,
} from "./sql/rows.ts";
import type { Statement } from "./statement.ts";
import type { MaskedTable, StoredColumn } from "./target_table.ts";
import { walkBlocks } from "./walk_blocks.ts";

/** Rows in a block of 8 KiB: 160 bytes a row. An estimate, not measured. */
const ROWS_PER_BLOCK = 50;

/** The rows of a Postgres table, for custodians. */
export class PostgresRowStore implements RowStore {
  readonly hasSubject: boolean;
  readonly #connection: Queryable;
  readonly #table: MaskedTable;

  /** @param connection a database, or the connection of a transaction */
  constructor(connection: Queryable, table: MaskedTable) {
    this.#connection = connection;
    this.#table = table;
    this.hasSubject = table.subject !== undefined;
  }

  async lockForgetting(): Promise<void> {
    await this.#connection.query(lockForgetting);
  }

  async findTraces(subject: string): Promise<SubjectTraces> {
    const found = await this.#connection.query<SubjectMask>(
      findSubjectMasks(this.#table, this.#subject()),
      [subject],
    );
    const all = found.find(({ field }) => field === null);
    const values = found.flatMap(({ field, mask }) =>
      field === null || mask === null ? [] : [{ field, mask }]
    );
    return { rows: Number(all?.rows ?? 0), values };
  }

  async countCarriers({ field, mask }: MaskedValue): Promise<CarrierCount> {
    const column = this.#table.masked.find((masked) => masked.field === field)?.column;
    if (!column) throw new RangeError("The table has no column for this field");
    const [counted] = await this.#connection.query<{ rows: string; users: string | null }>(
      countCarriers(this.#table, column),
      [mask],
    );
    const users = counted?.users ?? null;
    return { rows: Number(counted?.rows ?? 0), subjects: users === null ? null : Number(users) };
  }

  async countOtherCarriers(
    subject: string,
    values: readonly MaskedValue[],
  ): Promise<readonly (MaskedValue & { readonly others: number })[]> {
    if (values.length === 0) return [];
    const found = await this.#connection.query<MaskedValue & { others: string }>(
      countOthers(this.#table, this.#subject()),
      [
        subject,
        values.map(({ field }) => field),
        values.map(({ mask }) => mask),
        ...this.#groupByColumn(values),
      ],
    );
    return found.map((value) => ({ ...value, others: Number(value.others) }));
  }

  async deleteRows(subject: string, traces: SubjectTraces): Promise<number> {
    const count = await this.#change(deleteRows(this.#table, this.#subject()), subject, traces);
    if (count > 0) await this.#connection.query(recordRemoved, ["forget", count]);
    return count;
  }

  async anonymiseRows(subject: string, traces: SubjectTraces): Promise<number> {
    const { schema, name } = this.#table;
    const found = await this.#connection.query<{ name: string }>(notNullColumns, [schema, name]);
    const notNull = new Set(found.map((column) => column.name));
    const statement = anonymiseRows(this.#table, this.#subject(), notNull);
    return await this.#change(statement, subject, traces);
  }

  async *walk(rows: number): AsyncGenerator<RowRange> {
    const blocks = Math.ceil(rows / ROWS_PER_BLOCK);
    for await (const range of walkBlocks(this.#connection, this.#table, blocks)) {
      const { from, end, reached } = range;
      yield { from, end, progress: reached / range.blocks };
    }
  }

  async countMasks(
    { from, end }: RowRange,
    keys: readonly string[],
  ): Promise<readonly MaskCount[]> {
    return await this.#connection.query<MaskCount>(countRowMasks(this.#table), [from, end, keys]);
  }

  async replaceMasks({ from, end }: RowRange): Promise<number> {
    const [changed] = await this.#connection.query<{ rows: number }>(remaskRows(this.#table), [
      from,
      end,
    ]);
    return changed?.rows ?? 0;
  }

  async #change(statement: Statement, subject: string, { values }: SubjectTraces): Promise<number> {
    const [changed] = await this.#connection.query<{ rows: string }>(statement, [
      subject,
      ...this.#groupByColumn(values),
    ]);
    return Number(changed?.rows ?? 0);
  }

  /** The masks of each masked column, in the order of the columns. */
  #groupByColumn(values: readonly MaskedValue[]): string[][] {
    return this.#table.masked.map((column) =>
      values.filter(({ field }) => field === column.field).map(({ mask }) => mask)
    );
  }

  #subject(): StoredColumn {
    const { subject } = this.#table;
    if (!subject) throw new RangeError("The rows of this contract name no person");
    return subject;
  }
}
