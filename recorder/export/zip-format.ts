import { type UnixMillis, unixMillis } from "../../base/units.ts";

/** Beginnings of the records (PKWARE APPNOTE 6.3.10, 4.3). */
export const ZIP_MAGIC = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;

/** Their sizes, without names and extra fields. */
export const ZIP_RECORD_BYTES = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;

/** Compression: none, or what the field of AES says. */
export const ZIP_METHOD = { stored: 0, aes: 99 } as const;

/** Flags: the file is encrypted; its name is UTF-8. */
export const ZIP_FLAG = { encrypted: 0x0001, utf8: 0x0800 } as const;

/** Ids of extra fields: sizes of 64 bits, and AES (WinZip). */
export const ZIP_EXTRA = { zip64: 0x0001, aes: 0x9901 } as const;

/** Stands where 32 bits are not used, for the extra field has 64. */
export const IN_ZIP64 = 0xffffffff;

/** What a reader must be able to do: 4.5 for 64 bits, 5.1 for AES. */
const VERSION = { zip64: 45, aes: 51 } as const;
/** Made on Unix, so that the mode of a file is one. */
const MADE_ON_UNIX = 3 << 8;
const MODE = 0o100600 << 16;

/** One file in a ZIP file. */
export interface ZipEntry {
  readonly name: string;
  readonly modified: UnixMillis;
  readonly encrypted: boolean;
  /** Where its record begins. */
  readonly offset: number;
  /** 0 of what is encrypted: AE-2 has its tag instead, and a checksum in clear would tell of the content. */
  readonly crc: number;
  /** Of the content, and of what is stored, salt and tag included. */
  readonly bytes: number;
  readonly storedBytes: number;
}

/** What stands before a file's content. Always as long for the same name, so that it can be written again once the sizes are known. */
export function localRecord(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name);
  const extra = Buffer.concat([zip64(entry.bytes, entry.storedBytes), aes(entry)]);
  const record = Buffer.alloc(ZIP_RECORD_BYTES.local);
  record.writeUInt32LE(ZIP_MAGIC.local, 0);
  shared(entry, name, extra).copy(record, 4);
  return Buffer.concat([record, name, extra]);
}

/** Its line in the directory at the end. */
export function centralRecord(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name);
  const extra = Buffer.concat([zip64(entry.bytes, entry.storedBytes, entry.offset), aes(entry)]);
  const record = Buffer.alloc(ZIP_RECORD_BYTES.central);
  record.writeUInt32LE(ZIP_MAGIC.central, 0);
  record.writeUInt16LE(MADE_ON_UNIX | VERSION.aes, 4);
  shared(entry, name, extra).copy(record, 6);
  record.writeUInt32LE(MODE >>> 0, 38);
  record.writeUInt32LE(IN_ZIP64, 42);
  return Buffer.concat([record, name, extra]);
}

/** What closes the file behind a directory of `bytes` at `offset`. */
export function endRecords(count: number, offset: number, bytes: number): Buffer {
  const end64 = Buffer.alloc(ZIP_RECORD_BYTES.end64);
  end64.writeUInt32LE(ZIP_MAGIC.end64, 0);
  end64.writeBigUInt64LE(BigInt(end64.length - 12), 4);
  end64.writeUInt16LE(MADE_ON_UNIX | VERSION.aes, 12);
  end64.writeUInt16LE(VERSION.zip64, 14);
  for (const [index, value] of [count, count, bytes, offset].entries())
    end64.writeBigUInt64LE(BigInt(value), 24 + 8 * index);
  const locator = Buffer.alloc(ZIP_RECORD_BYTES.locator64);
  locator.writeUInt32LE(ZIP_MAGIC.locator64, 0);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(ZIP_RECORD_BYTES.end, 0xff);
  end.writeUInt32LE(ZIP_MAGIC.end, 0);
  end.writeUInt32LE(0, 4); // the only disk
  end.writeUInt16LE(0, 20);
  return Buffer.concat([end64, locator, end]);
}

/** What both records of a file share, from the version that is needed on. */
function shared(entry: ZipEntry, name: Buffer, extra: Buffer): Buffer {
  const fields = Buffer.alloc(26);
  const { date, time } = dosTime(entry.modified);
  fields.writeUInt16LE(entry.encrypted ? VERSION.aes : VERSION.zip64, 0);
  fields.writeUInt16LE(ZIP_FLAG.utf8 | (entry.encrypted ? ZIP_FLAG.encrypted : 0), 2);
  fields.writeUInt16LE(entry.encrypted ? ZIP_METHOD.aes : ZIP_METHOD.stored, 4);
  fields.writeUInt16LE(time, 6);
  fields.writeUInt16LE(date, 8);
  fields.writeUInt32LE(entry.crc, 10);
  fields.writeUInt32LE(IN_ZIP64, 14);
  fields.writeUInt32LE(IN_ZIP64, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(extra.length, 24);
  return fields;
}

function zip64(...values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(ZIP_EXTRA.zip64, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}

/** Version 2 of "AE", 256 bits, nothing compressed. */
function aes({ encrypted }: ZipEntry): Buffer {
  const field = Buffer.from("0199070002004145030000", "hex");
  return encrypted ? field : Buffer.alloc(0);
}

/** In UTC: the format has no zone. Two seconds are its unit, and 1980 its first year. */
function dosTime(at: UnixMillis): { readonly date: number; readonly time: number } {
  const moment = new Date(Math.max(at, unixMillis(Date.UTC(1980, 0, 1))));
  const year = Math.min(moment.getUTCFullYear() - 1980, 127);
  return {
    date: (year << 9) | ((moment.getUTCMonth() + 1) << 5) | moment.getUTCDate(),
    time: (moment.getUTCHours() << 11) | (moment.getUTCMinutes() << 5) | (moment.getUTCSeconds() >> 1),
  };
}
