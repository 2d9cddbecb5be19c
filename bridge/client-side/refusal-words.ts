import { isoOf } from "../../base/units.ts";
import type { Refusal, RefusalCode } from "./refusal.ts";

/** A refusal in words: what happened and why, and what to do. */
export interface ExplainedRefusal extends Omit<Refusal, "first" | "last"> {
  readonly says: string;
  readonly next: string;
  /** ISO 8601, UTC. */
  readonly first: string;
  readonly last: string;
}

export function explained(refusal: Refusal): ExplainedRefusal {
  const [says, next] = WORDS[refusal.code](refusal);
  return { ...refusal, says, next, first: isoOf(refusal.first), last: isoOf(refusal.last) };
}

/** Those of one client, by its account or its address; all where it is not named. */
export function ofClient(refusals: readonly Refusal[], client: string | undefined): readonly Refusal[] {
  const name = client?.toLowerCase();
  return refusals.filter(
    ({ account, address }) => name === undefined || account?.toLowerCase() === name || address.toLowerCase() === name,
  );
}

type Words = readonly [says: string, next: string];

const WORDS: Readonly<Record<RefusalCode, (refusal: Refusal) => Words>> = {
  "wrong-secret": wrongSecret,
  "clock-off": ({ account, detail }) => {
    const seconds = Number(detail ?? 0);
    const way = seconds > 0 ? "behind" : "ahead";
    return [
      `the secret of "${account}" is right, but its clock is ${way} by ${Math.abs(seconds)} s: a UsernameToken may be five minutes off`,
      "set the client's clock, best by NTP, or let it log in by HTTP digest, which needs no clock",
    ];
  },
  "used-again": ({ account }) => [
    `"${account}" sent the same UsernameToken twice`,
    "the client must make a new nonce for each request; if it does, somebody repeats what it sent: use TLS",
  ],
  "incomplete-token": ({ account }) => [
    `the UsernameToken of "${account}" has no nonce or no time, which anybody could repeat`,
    "switch the client to password digest, or to HTTP digest",
  ],
  "readable-password": ({ account }) => [
    `"${account}" sent its password readably, without TLS: it was not looked at`,
    "let the client use https, or password digest; and make a new secret, for this one could be read on the network",
  ],
  algorithm: ({ detail }) => [
    `the client answered with the digest algorithm ${detail ?? "of no name"}, which is not spoken here`,
    "let it use SHA-256 or MD5",
  ],
  scheme: ({ detail }) => [
    `the client wanted to log in by ${detail ?? "something"}, which is not taken this way`,
    "let it use digest; Basic is for TLS alone, Kerberos and NTLM are for the pages",
  ],
  jwt: ({ detail }) => [
    `the client's JWT is not taken: ${detail ?? "it is wrong"}`,
    "compare what the issuer puts into it with jwt.issuers in the settings; a client gets itself a new one before the old one expires",
  ],
  "client-certificate": ({ detail }) => [
    `the client has shown a certificate that is not taken: ${detail ?? "nobody here has it"}`,
    "register it with an account (viaduct token add --certificate), see to its authority, list and account, or let the client log in another way",
  ],
  throttled: () => [
    "there were too many wrong log-ins from this address, so that it has to wait, up to a minute",
    "mend the log-in first (see the other lines of this address); a program that tries on and on with an old secret is the usual cause",
  ],
  "no-right": ({ account, right, camera, interface: door, detail }) => [
    `"${account}" may not ${right ?? "do"} ${camera === undefined ? "" : `with camera ${camera} `}through ${door}: ${detail ?? "no right"}`,
    right === undefined || camera === undefined
      ? "give the account that right if it should have it"
      : `if it should, grant "${right}" on ${camera} through ${door}, at these hours`,
  ],
  "right-ended": ({ account, detail }) => [
    `what "${account}" was watching ended with its right: ${detail ?? "the account was changed, or the hour is over"}`,
    "nothing, if that was meant; the audit log says which right it was",
  ],
  "not-found": ({ account, what }) => [
    `"${account ?? "the client"}" asked for something that is not there, or is hidden from it (${what})`,
    "let it read the list of cameras anew; if the camera is there, give the account a right to it",
  ],
  "unsupported-operation": ({ what }) => [
    `the client called ${what}, which this bridge does not have`,
    "nothing, if the client goes on without; docs/conformance.md lists what is served",
  ],
  "old-soap": () => ["the client speaks SOAP 1.1, and ONVIF is SOAP 1.2", "update the client, or choose ONVIF in it"],
  "transport-off": ({ what, detail }) => [
    `the client asked for a transport that is not to be had (${what}${detail === undefined ? "" : `: ${detail}`})`,
    "let it use TCP (RTP over RTSP), or switch the transport on: clientSide.udp, multicast or srtp",
  ],
  "no-srtp-keys": () => [
    "the client wants SRTP without keys",
    "add ?srtp to the address, or let it use RTP inside TLS",
  ],
  "not-notified": () => [
    "the client subscribed to be sent events, to an address that is not listed or not to be found",
    "add the address to clientSide.notifications.to (and http: true where it has no TLS); the log names it",
  ],
  busy: ({ detail }) => [
    `a limit was reached${detail === undefined ? "" : `: ${detail}`}`,
    "let the client close what it does not use",
  ],
  unavailable: ({ detail, what }) => [
    `what ${what} needs was not there${detail === undefined ? "" : `: ${detail}`}`,
    "look at the camera: viaduct doctor camera ADDRESS",
  ],
  "bad-request": ({ what, detail }) => [
    `${what} could not be understood${detail === undefined ? "" : `: ${detail}`}`,
    "this is for the maker of the client, or of this bridge: the log has more",
  ],
  internal: ({ what }) => [`${what} failed by a fault of the bridge`, "tell its makers, with the lines of the log"],
  "tls-too-old": () => [
    "the client knows only TLS that is too old (before 1.2)",
    "update the client; if it cannot be, switch on plain ONVIF or RTSP for it (clientSide.onvifHttp, clientSide.rtsp), on a network that you trust",
  ],
  "no-shared-cipher": () => [
    "the client's TLS has no cipher or curve in common with this bridge",
    "update the client; the bridge has ECDHE with AES-GCM or ChaCha20 alone, and a key on P-256 where it was not given one",
  ],
  "certificate-not-trusted": () => [
    "the client does not trust the certificate of this bridge",
    "give the client tls-cert.pem of the data folder as an authority, or put a certificate of your own there",
  ],
  "plain-to-tls": ({ interface: door }) => [
    `the client speaks without TLS at the port for ${door === "rtsp" ? "rtsps" : "https"}`,
    `let it use ${door === "rtsp" ? "rtsps://" : "https://"}, or the plain port where that is switched on`,
  ],
};

function wrongSecret({ account, accountState = "integration" }: Refusal): Words {
  if (account !== undefined) return WRONG_SECRET[accountState](account);
  return ["the client's log-in is wrong", "copy name and secret into the client once more"];
}

const WRONG_SECRET: Readonly<Record<NonNullable<Refusal["accountState"]>, (account: string) => Words>> = {
  unknown: (account) => [`there is no account "${account}"`, "correct the name in the client, or make the account"],
  disabled: (account) => [`the account "${account}" is disabled`, "enable it, if it should log in"],
  "not-armed": (account) => [
    `"${account}" is let in only while it is armed, and it is not: its secret was not looked at`,
    "arm it at the page of accounts for as long as it is needed, or let it in at any time",
  ],
  person: (account) => [
    `"${account}" is a person: people have no secret for digest, and a wrong password looks the same`,
    "make an account for the system (viaduct account add), and use its name and secret in the client",
  ],
  integration: (account) => [
    `the secret of "${account}" is wrong`,
    "copy the secret into the client once more; if it is lost, make the account anew: it was shown once",
  ],
};
