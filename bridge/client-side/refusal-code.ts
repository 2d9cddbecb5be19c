import { AccessFault } from "../../auth/access.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { THROTTLED } from "../../auth/throttle.ts";
import { type LogInFailure, UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { FaultKind } from "../../base/fault.ts";
import { RtspFault } from "../../rtsp/server/reply.ts";
import { SoapFault } from "../../wsdl/envelope.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";

type Classified = Pick<Refusal, "code" | "right" | "camera" | "detail">;

const LOG_IN: Readonly<Record<LogInFailure, RefusalCode | undefined>> = {
  "no-credentials": undefined,
  "wrong-secret": "wrong-secret",
  "clock-off": "clock-off",
  "used-again": "used-again",
  "incomplete-token": "incomplete-token",
  "readable-password": "readable-password",
  algorithm: "algorithm",
  scheme: "scheme",
  jwt: "jwt",
  certificate: "client-certificate",
};

/** How Node.js calls what ended a handshake. */
const TLS: readonly (readonly [RegExp, RefusalCode])[] = [
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|INAPPROPRIATE_FALLBACK|PROTOCOL_VERSION/, "tls-too-old"],
  [/NO_SHARED_CIPHER|NO_SHARED_GROUP|NO_SUITABLE/, "no-shared-cipher"],
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_)/, "certificate-not-trusted"],
  [/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/, "plain-to-tls"],
];

const BY_KIND: Readonly<Record<FaultKind, RefusalCode>> = {
  unauthenticated: "wrong-secret",
  denied: "no-right",
  "not-found": "not-found",
  invalid: "bad-request",
  "wrong-state": "bad-request",
  busy: "busy",
  unavailable: "unavailable",
  internal: "internal",
};

const STATUS: Readonly<Record<number, RefusalCode>> = { 461: "transport-off", 463: "no-srtp-keys" };

/** What a refusal was, with what the administrator needs to know of it; undefined for what is no failure. */
export function classified(fault: RefusedRequest["fault"], what: string): Classified | undefined {
  if (what === "TLS") return tlsFailure(fault.cause);
  if (fault instanceof UnauthenticatedFault) {
    // A nonce that is used up is made anew without anybody being asked.
    const code = fault.stale && fault.failure === "wrong-secret" ? undefined : LOG_IN[fault.failure];
    return code && { code, ...(fault.detail === undefined ? {} : { detail: fault.detail }) };
  }
  if (fault instanceof AccessFault) {
    const { right, camera, why } = fault;
    return { code: "no-right", right, ...(camera === undefined ? {} : { camera }), detail: why };
  }
  const code = codeOf(fault, what);
  return { code, ...(fault.tell === undefined ? {} : { detail: fault.tell }) };
}

function codeOf(fault: RefusedRequest["fault"], what: string): RefusalCode {
  if (fault instanceof RtspFault && STATUS[fault.status] !== undefined) return STATUS[fault.status] as RefusalCode;
  if (fault instanceof SoapFault) {
    if (fault.code === "VersionMismatch") return "old-soap";
    if (fault.subcodes.includes("ActionNotSupported") || fault.subcodes.includes("UnknownAction"))
      return "unsupported-operation";
    if (fault.subcodes.includes("InvalidStreamSetup")) return "transport-off";
    if (fault.kind === "invalid" && fault.subcodes.includes("SubscribeCreationFailedFault")) return "not-notified";
  }
  if (what === "session") return "right-ended";
  return fault.tell === THROTTLED ? "throttled" : BY_KIND[fault.kind];
}

function tlsFailure(cause: unknown): Classified | undefined {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const found = TLS.find(([pattern]) => pattern.test(code));
  // Whoever only looks whether the port is open hangs up, which says nothing.
  return found && { code: found[1], detail: code };
}
