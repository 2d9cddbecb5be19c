import type { Attribute } from "@peculiar/asn1-cms";
import { AsnConvert } from "@peculiar/asn1-schema";

const SET = 0x31;

/** What a signature of CMS is over: the attributes as a SET, under which tag they do not stand in the message (RFC 5652 5.4). */
export function setOf(attributes: readonly Attribute[]): Buffer {
  const body = Buffer.concat(attributes.map(bytesOf));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const digits = length.subarray(length.findIndex((byte) => byte !== 0));
  const size = body.length < 128 ? [body.length] : [0x80 | digits.length, ...digits];
  return Buffer.concat([Buffer.of(SET, ...size), body]);
}

/** The value of an attribute that must be there once, with one value (RFC 5652 11); undefined where it is not so. */
export function onlyValue(attributes: readonly Attribute[], type: string): Buffer | undefined {
  const values = attributes.filter(({ attrType }) => attrType === type).flatMap(({ attrValues }) => attrValues);
  return values.length === 1 && values[0] !== undefined ? Buffer.from(values[0]) : undefined;
}

export function bytesOf(attribute: Attribute): Buffer {
  return Buffer.from(AsnConvert.serialize(attribute));
}
