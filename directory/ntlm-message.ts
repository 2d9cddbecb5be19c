import { createHash } from "node:crypto";

const LIMITS = {
  /** The first message has two short names at most. */
  negotiateBytes: 1024,
  /** The last one has names, a key, and what the domain controller's challenge listed. */
  authenticateBytes: 8 * 1024,
  nameLength: 256,
} as const;

/** How each message begins (MS-NLMP 2.2.1). */
export const NTLM_SIGNATURE = "NTLMSSP\0";

/** Offsets in AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3); at each of the first three stand length, room and offset of a field. */
const AT = { type: 8, ntResponse: 20, domain: 28, user: 36, flags: 60, end: 64 } as const;

const NEGOTIATE = 1;
const AUTHENTICATE = 3;
const FLAG_UNICODE = 0x1;
const FLAG_ANONYMOUS = 0x800;

/** NTLMv2_RESPONSE (MS-NLMP 2.2.2.8): 16 bytes of proof, then NTLMv2_CLIENT_CHALLENGE, whose pairs (2.2.2.1) begin here. */
const V2 = { version: 16, pairs: 44, least: 48, bindingId: 10, bindingBytes: 16 } as const;

/** Of NTLMv1, and of its variant with a client's challenge. */
const V1_BYTES = 24;

/** Without what stands between a domain and a name, and without signs that no account name has. */
const NAME = /^[^\\/:*?"<>|\p{Cc}]+$/u;

/** One message of a client, as far as it concerns us: the helper and the domain controller judge it. */
export type NtlmMessage =
  | { readonly type: "negotiate" }
  /** `anonymous`: no account at all; `v1`: by a version that is not taken. */
  | { readonly type: "anonymous" | "v1" }
  | NtlmClaim;

/** Who a client says it is. Nothing of it is proved before the domain controller has said so, and then all of it is but the domain and the case of the name. */
export interface NtlmClaim {
  readonly type: "v2";
  /** Empty where the name is to say it, or the client leaves it to us. */
  readonly domain: string;
  readonly user: string;
  /** What the client has bound its log-in to ({@link ntlmBinding}); undefined where it has not. */
  readonly binding: Buffer | undefined;
}

/** Whether it says that it is one, by itself and not inside SPNEGO. */
export function isNtlmMessage(message: Buffer): boolean {
  return message.toString("latin1", 0, AT.type) === NTLM_SIGNATURE;
}

/** Who a message says that it is of, for the audit log; undefined where it says nobody. */
export function claimedName(message: Buffer): string | undefined {
  const read = readNtlmMessage(message);
  if (read?.type !== "v2") return undefined;
  return read.domain === "" ? read.user : `${read.domain}\\${read.user}`;
}

/** Reads NEGOTIATE_MESSAGE or AUTHENTICATE_MESSAGE. Undefined for everything else, and for what is too long. Never throws. */
export function readNtlmMessage(message: Buffer): NtlmMessage | undefined {
  if (message.length < AT.type + 4 || !isNtlmMessage(message)) return undefined;
  const type = message.readUInt32LE(AT.type);
  if (type === NEGOTIATE) return message.length <= LIMITS.negotiateBytes ? { type: "negotiate" } : undefined;
  if (type !== AUTHENTICATE || message.length < AT.end || message.length > LIMITS.authenticateBytes) return undefined;
  const response = fieldAt(message, AT.ntResponse);
  const flags = message.readUInt32LE(AT.flags);
  const domain = textAt(message, AT.domain, flags);
  const user = textAt(message, AT.user, flags);
  if (response === undefined || domain === undefined || user === undefined) return undefined;
  if (user === "" || (flags & FLAG_ANONYMOUS) !== 0) return { type: "anonymous" };
  if (response.length <= V1_BYTES) return { type: "v1" };
  if (response.length < V2.least || response.readUInt16LE(V2.version) !== 0x0101) return undefined;
  return { type: "v2", domain, user, binding: bindingIn(response) };
}

/** What a client binds a log-in to, of what its connection is known by (RFC 5929): MD5 of gss_channel_bindings_struct (MS-NLMP 2.2.2.1, RFC 2744 3.11). */
export function ntlmBinding(applicationData: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(applicationData.length, 16);
  return createHash("md5").update(head).update(applicationData).digest();
}

function bindingIn(response: Buffer): Buffer | undefined {
  let at: number = V2.pairs;
  while (at + 4 <= response.length) {
    const id = response.readUInt16LE(at);
    const end = at + 4 + response.readUInt16LE(at + 2);
    if (id === 0 || end > response.length) return undefined;
    const value = response.subarray(at + 4, end);
    // All zeros say that there is none.
    if (id === V2.bindingId && value.length === V2.bindingBytes)
      return value.some((byte) => byte !== 0) ? value : undefined;
    at = end;
  }
  return undefined;
}

function fieldAt(message: Buffer, at: number): Buffer | undefined {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) return Buffer.alloc(0);
  return offset + length <= message.length ? message.subarray(offset, offset + length) : undefined;
}

/** UTF-16, or of clients that know no better, ASCII: the code page of the others is not ours to guess. */
function textAt(message: Buffer, at: number, flags: number): string | undefined {
  const field = fieldAt(message, at);
  if (field === undefined || field.length > 2 * LIMITS.nameLength) return undefined;
  const isUnicode = (flags & FLAG_UNICODE) !== 0;
  if (isUnicode ? field.length % 2 !== 0 : field.some((byte) => byte > 0x7e)) return undefined;
  const text = field.toString(isUnicode ? "utf16le" : "latin1");
  return text === "" || NAME.test(text) ? text : undefined;
}
