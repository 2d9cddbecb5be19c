import { type Approval, untilApproved } from "./second-person.ts";
import { send } from "./send.ts";

/** Where the account of this computer logs in. The door of Kerberos takes NTLM, too, where that is on. */
export type ComputerDoor = "kerberos" | "ntlm";

export interface Session {
  readonly setUpNeeded: boolean;
  /** Whoever is logged in at a computer of the domain needs no password. */
  readonly kerberos?: true;
  /** By a password of Windows, which the browser has or asks for. */
  readonly ntlm?: true;
  readonly account: {
    readonly name: string;
    readonly rights: readonly string[];
    /** Something waits for a second person here. */
    readonly approvals?: boolean;
    /** Absent without a second factor. */
    readonly recoveryCodesLeft?: number;
    /** By what its codes are sent; absent where an authenticator shows them. */
    readonly codesBy?: SentBy;
    /** Codes can be sent by e-mail, and by SMS, here. */
    readonly mailCodes?: true;
    readonly smsCodes?: true;
    /** Without one, nothing goes on. */
    readonly mustHaveFactor?: true;
    /** The password is that of a directory. */
    readonly directory?: true;
  } | null;
}

/** By what codes are sent. */
export type SentBy = "mail" | "sms";

/** Where a code was sent, as its owner knows it. */
export interface SentTo {
  readonly by: SentBy;
  readonly to: string;
}

/** What a log-in still needs, a second factor that has to be set up with its secret, another password (`newPassword`: besides), or a second person; or the recovery codes of one that was set up. */
export type LogInAnswer =
  | { readonly needs: "code"; readonly sent?: SentTo; readonly trouble?: string; readonly newPassword?: true }
  | { readonly needs: "password" }
  | {
      readonly needs: "approval";
      readonly ticket: string;
      readonly approval: Approval;
      readonly recoveryCodes?: readonly string[];
    }
  | { readonly needs: "factor"; readonly secret: string; readonly uri: string; readonly newPassword?: true }
  | { readonly needs?: never; readonly recoveryCodes: readonly string[] };

export interface Connection {
  readonly state: "connecting" | "online" | "offline" | "idle";
  /** Milliseconds since 1970, UTC. */
  readonly since: number;
  readonly why?: string;
}

export type Transport = "tcp" | "udp" | "http" | "multicast";

export type TransportSetting = "auto" | Transport;

export type Pulling = "always" | "on-demand";

export type RecordingMode = "off" | "continuous" | "schedule" | "events";

interface HoursWindow {
  /** Monday is 1. */
  readonly days: readonly number[];
  readonly from: string;
  readonly to: string;
}

/** When a stream is recorded. */
export interface RecordingPlan {
  readonly mode: RecordingMode;
  readonly hours?: {
    readonly zone: string;
    readonly weekly: readonly HoursWindow[];
    readonly exceptions: readonly object[];
  };
  readonly events?: {
    readonly of: readonly string[];
    readonly beforeSeconds: number;
    readonly afterSeconds: number;
  };
  /** The volume that it is recorded to; any if absent. */
  readonly volume?: string;
}

/** A disk that recordings are on. */
export interface Volume {
  readonly name: string;
  readonly folder: string;
  readonly role: "hot" | "spare" | "archive";
  readonly state: "here" | "away" | "failing" | "full";
  readonly problem: string | null;
  readonly freeBytes: number | null;
  /** Of its recordings; the most that they may have, or null. */
  readonly bytes: number;
  readonly maxBytes: number | null;
  readonly segments: number;
  readonly streams: number;
}

/** Volumes, with those that recordings are on and the settings do not name. */
export interface Volumes {
  readonly volumes: readonly Volume[];
  readonly unnamed: readonly Pick<Volume, "name" | "bytes" | "segments">[];
}

export interface Stream {
  readonly name: string;
  readonly pulling: Pulling;
  readonly recording: {
    readonly state: "off" | "closed" | "waiting" | "starting" | "recording" | "failing";
    readonly problem?: string;
    /** For who may change it. */
    readonly plan?: RecordingPlan;
  };
  readonly connection: Connection;
  readonly transport?: Transport;
  readonly tracks: readonly { readonly kind: string; readonly encoding: string }[];
  /** Where other systems play it. */
  readonly address: string;
}

/** What of a camera can be moved. */
export interface Moves {
  readonly panTilt: boolean;
  readonly zoom: boolean;
  /** It keeps places. */
  readonly presets: boolean;
  readonly home: boolean;
}

export interface Camera {
  readonly id: string;
  readonly name: string;
  readonly maker: string;
  readonly connection: Connection;
  readonly transport: TransportSetting;
  /** The main one first. */
  readonly streams: readonly [Stream, ...Stream[]];
  readonly unrecordable: readonly string[];
  readonly quirks: readonly { readonly name: string; readonly does: string; readonly copes: string }[];
  readonly mayWatch: boolean;
  readonly mayHear: boolean;
  readonly mayPlayBack: boolean;
  readonly mayHearRecorded: boolean;
  readonly mayExport: boolean;
  readonly mayMove: boolean;
  readonly mayKeepPresets: boolean;
  /** How it can be moved; absent where it cannot, or has not told yet. */
  readonly moves?: Moves;
  readonly recordedAddress: string;
}

/** What is sent to make a camera ours. */
export interface Adoption {
  readonly target: { readonly find: string } | { readonly rtsp: string; readonly sub?: string };
  readonly name?: string;
  readonly user?: string;
  readonly password?: string;
  readonly transport?: TransportSetting;
  readonly plainText?: boolean;
}

export interface Find {
  readonly id: string;
  readonly ip: string;
  readonly xaddrs: readonly string[];
  readonly name?: string;
  readonly hardware?: string;
  readonly location?: string;
  readonly adoptedAs?: string;
}

export interface Scan {
  readonly running: boolean;
  readonly probed: number;
  readonly total: number;
  readonly startedAt?: number;
  readonly failure?: string;
}

export type DiscoveryEvent =
  | { readonly type: "found"; readonly find: Find }
  | { readonly type: "scan"; readonly scan: Scan }
  | { readonly type: "adopting"; readonly id: string; readonly step: string };

export type Which = "any" | readonly string[];

/** Which cameras, by right. */
export interface Watching {
  readonly live: Which;
  readonly playback: Which;
  readonly audio: Which;
  readonly metadata: Which;
  readonly talk: Which;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly kind: "person" | "integration";
  readonly enabled: boolean;
  readonly roles: readonly string[];
  /** Of people; null where there is none and need not be. */
  readonly secondFactor: "set up" | "missing" | null;
  /** Of people: it has to be changed at the next log-in. */
  readonly temporaryPassword: boolean;
  /** Of a person of a directory, or a system under one: what its groups give, and why it is out. */
  readonly directory: { readonly name: string; readonly roles: readonly string[]; readonly out: string | null } | null;
  /** What it may do at this moment, where it is enabled: by its own grants, by its roles, and by what these deny. */
  readonly effective: Watching;
  /** Further rights that it has at this moment, on some camera or over the bridge. */
  readonly others: readonly string[];
  /** Some of it holds at certain times, through some interfaces, or for newer footage alone. */
  readonly narrowed: boolean;
  /** Of external systems: when the present secret was used last, and the former one that still holds. Times are ISO 8601. */
  readonly secrets: {
    readonly lastUse: Use | null;
    readonly former: { readonly until: string; readonly lastUse: Use | null } | null;
  } | null;
  /** Of external systems that are let in only while they are armed; null: at any time. */
  readonly arming: Arming | null;
}

/** Both null while it is not armed. */
export interface Arming {
  /** ISO 8601. */
  readonly until: string | null;
  readonly leftSeconds: number | null;
}

/** When something was used, and from where. */
export interface Use {
  readonly at: string;
  readonly address: string;
}

/** A token of an account. Times are ISO 8601. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly interfaces: readonly string[];
  /** SHA-256 of the client's certificate that it is; null: it is a secret. */
  readonly certificate: string | null;
  /** From which alone it is taken; from everywhere if empty. */
  readonly networks: readonly string[];
  readonly created: string;
  readonly expires: string | null;
  readonly lastUse: Use | null;
}

/** What is sent to make a token. Without `expires` it expires in a year. */
export interface NewToken {
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly networks: readonly string[];
  readonly expires?: string | null;
  /** A client's own (PEM), in the place of a secret. */
  readonly certificate?: string;
}

/** A sync of a directory that was. */
export interface DirectorySync {
  readonly at: string;
  readonly by: string;
  readonly outcome: "done" | "nothing" | "held" | "failed";
  readonly came: number;
  readonly went: number;
  readonly changed: number;
  readonly why: string | null;
}

export interface Directory {
  readonly name: string;
  readonly servers: readonly string[];
  readonly encryption: string;
  readonly running: boolean;
  readonly trouble: string | null;
  readonly held: string | null;
  readonly active: number;
  readonly out: number;
  readonly last: DirectorySync | null;
}

export interface DirectoryPreview {
  readonly id: string;
  readonly people: number;
  readonly active: number;
  readonly removals: number;
  readonly held: string | null;
  readonly changes: readonly {
    readonly name: string;
    readonly what: "comes" | "goes" | "changes";
    readonly why: string;
    readonly gains: readonly string[];
    readonly loses: readonly string[];
    readonly ends: number;
  }[];
  readonly conflicts: readonly { readonly name: string; readonly why: string }[];
}

export interface DirectoryFinding {
  readonly what: string;
  readonly result: "works" | "note" | "fails";
  readonly says: string;
  readonly next?: string;
}

export interface DirectoryExplanation {
  readonly found: boolean;
  readonly dn: string | null;
  readonly standing: string | null;
  readonly roles: readonly { readonly role: string; readonly path: readonly string[] }[];
  readonly account: { readonly name: string; readonly enabled: boolean; readonly out: string | null } | null;
}

/** One line of the audit log. */
export interface AuditEntry {
  readonly seq: number;
  /** ISO 8601. */
  readonly time: string;
  readonly who?: string;
  readonly action: string;
  readonly outcome?: "allowed" | "denied" | "failed";
  readonly subject?: string;
  readonly camera?: string;
  readonly interface?: string;
  readonly address?: string;
  readonly why?: string;
  readonly repeated?: number;
}

/** Which entries: values of fields, `text` anywhere, `from` and `to` as ISO 8601, `before` a number. Empty ones count for nothing. */
export type AuditQuestion = Readonly<Record<string, string>>;

export interface AuditState {
  readonly failing: boolean;
  readonly forwarding: readonly { readonly name: string; readonly connected: boolean; readonly why?: string }[];
}

/** What is sent to export recordings. Times are ISO 8601. */
export interface Exporting {
  readonly cameras: readonly string[];
  /** Of each of these. */
  readonly stream: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly without: readonly ("audio" | "metadata")[];
  readonly encrypted: boolean;
}

/** Times in milliseconds since 1970. */
export interface Export {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly state: "waiting" | "running" | "ready" | "failed" | "cancelled";
  readonly problem?: string;
  readonly isProtected: boolean;
  readonly expectedBytes: number;
  readonly doneBytes: number;
  readonly bytes?: number;
  readonly gaps?: number;
  /** What cameras have signed of it; of those that sign. */
  readonly signatures?: readonly {
    readonly camera: string;
    readonly verdicts: readonly { readonly verdict: CameraVerdict; readonly seconds: number }[];
    readonly signers: readonly CameraSigner[];
  }[];
  readonly goneAt?: number;
}

/** What a camera's own signature says of pictures. */
export type CameraVerdict = "ok" | "changed" | "missing" | "unsigned" | "untrusted" | "unknown";

/** Who signed. `name` is null of a key for which nobody vouches. */
export interface CameraSigner {
  readonly fingerprint: string;
  readonly name: string | null;
  readonly issuer: string | null;
}

/** One request to the API, once more where a second person had to approve it first. Throws a `Refusal`. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  for (;;) {
    const value = (await send(method, path, body)) as
      | { readonly approval?: Approval; readonly needs?: string }
      | undefined;
    // A log-in that waits has a ticket instead.
    if (value?.approval === undefined || value.needs !== undefined) return value as T;
    await untilApproved(value.approval);
  }
}

export const api = {
  session: () => call<Session>("GET", "/api/session"),
  /** `next`: in the place of a temporary password. */
  logIn: (name: string, password: string, code: string, next: string) =>
    call<LogInAnswer | undefined>("POST", "/api/session", {
      name,
      password,
      ...(code === "" ? {} : { code }),
      ...(next === "" ? {} : { next }),
    }),
  /** The browser shows its ticket by itself. */
  logInByComputer: (door: ComputerDoor, code: string) =>
    call<LogInAnswer | undefined>("POST", `/api/session/${door}`, code === "" ? {} : { code }),
  /** Of a log-in that waits for a second person; done where nothing is answered. */
  proceed: (ticket: string) =>
    call<{ needs: "approval"; approval: Approval } | undefined>("PUT", "/api/session", { ticket }),
  approvals: async () =>
    (await call<{ approvals: readonly (Approval & { readonly own: boolean })[] }>("GET", "/api/approvals")).approvals,
  answerApproval: (id: string, answer: { says: "approved" | "refused"; why?: string; code?: string }) =>
    call<{ needs: "code" } | undefined>("POST", `/api/approvals/${encodeURIComponent(id)}`, answer),
  changePassword: (password: string, next: string) => call<void>("PUT", "/api/session/password", { password, next }),
  beginFactor: (password: string) => call<{ secret: string; uri: string }>("POST", "/api/session/factor", { password }),
  beginSentFactor: (password: string, by: SentBy, to: string) =>
    call<{ sent: SentTo }>("POST", "/api/session/factor", { password, [by]: to }),
  sendCode: () => call<{ sent: SentTo }>("POST", "/api/session/factor/code", {}),
  confirmFactor: (code: string) => call<{ recoveryCodes: readonly string[] }>("PUT", "/api/session/factor", { code }),
  removeFactor: (code: string) => call<void>("DELETE", "/api/session/factor", { code }),
  /** `account`: the id of an external system's; the caller's own where undefined. */
  tokens: async (account: string | undefined) =>
    (await call<{ tokens: readonly ApiToken[] }>("GET", tokensOf(account))).tokens,
  /** `proof`: the password, and the code where there is a second factor, for a token of one's own. */
  addToken: (account: string | undefined, token: NewToken, proof: { password?: string; code?: string }) =>
    call<{ name: string; token?: string }>("POST", tokensOf(account), { ...token, ...proof }),
  revokeToken: (account: string | undefined, id: string) =>
    call<void>("DELETE", `${tokensOf(account)}/${encodeURIComponent(id)}`),
  logOut: () => call<void>("DELETE", "/api/session"),
  setUp: (token: string, name: string, password: string) => call<void>("POST", "/api/setup", { token, name, password }),
  about: () => call<{ version: string; onvif: string }>("GET", "/api/about"),
  cameras: async () => (await call<{ cameras: Camera[] }>("GET", "/api/cameras")).cameras,
  removeCamera: (id: string) => call<void>("DELETE", `/api/cameras/${encodeURIComponent(id)}`),
  changeCamera: (id: string, change: { transport: TransportSetting }) =>
    call<void>("PATCH", `/api/cameras/${encodeURIComponent(id)}`, change),
  changeStream: (id: string, stream: string, change: { pulling: Pulling } | { recording: object }) =>
    call<void>("PATCH", `/api/cameras/${encodeURIComponent(id)}/streams/${encodeURIComponent(stream)}`, change),
  volumes: () => call<Volumes>("GET", "/api/volumes"),
  forgetVolume: (name: string) => call<void>("DELETE", `/api/volumes/${encodeURIComponent(name)}`),
  exports: async () => (await call<{ exports: Export[] }>("GET", "/api/exports")).exports,
  addExport: (exporting: Exporting) => call<{ id: string; password?: string }>("POST", "/api/exports", exporting),
  endExport: (id: string) => call<void>("DELETE", `/api/exports/${encodeURIComponent(id)}`),
  discovery: () => call<{ finds: Find[]; scan: Scan }>("GET", "/api/discovery"),
  scan: (targets: readonly string[]) => call<{ scan: Scan }>("POST", "/api/discovery/scan", { targets }),
  adopt: (adoption: Adoption) => call<{ id: string; name: string }>("POST", "/api/discovery/adopt", adoption),
  audit: (question: AuditQuestion) =>
    call<{ entries: readonly AuditEntry[]; next?: number }>(
      "GET",
      `/api/audit?${new URLSearchParams(Object.entries(question).filter(([, value]) => value !== ""))}`,
    ),
  auditState: () => call<AuditState>("GET", "/api/audit/state"),
  accounts: async () => (await call<{ accounts: Account[] }>("GET", "/api/accounts")).accounts,
  addIntegration: (name: string, watching: Watching, onlyWhileArmed: boolean, person?: string) =>
    call<{ id: string; name: string; secret: string }>("POST", "/api/accounts", {
      name,
      watching,
      onlyWhileArmed,
      ...(person === undefined ? {} : { person }),
    }),
  addPerson: (person: { name: string; password: string; roles: readonly string[]; temporary: boolean }) =>
    call<{ id: string; name: string }>("POST", "/api/accounts/people", person),
  changeAccount: (id: string, change: { enabled: boolean }) =>
    call<void>("PATCH", `/api/accounts/${encodeURIComponent(id)}`, change),
  demandArming: (id: string, onlyWhileArmed: boolean) => call<void>("PUT", armingOf(id), { onlyWhileArmed }),
  arm: (id: string, minutes: number) => call<{ until: string }>("POST", armingOf(id), { minutes }),
  disarm: (id: string) => call<void>("DELETE", armingOf(id)),
  directories: async () => (await call<{ directories: Directory[] }>("GET", "/api/directory")).directories,
  previewDirectory: (name: string) => call<DirectoryPreview>("POST", ofDirectory(name, "preview")),
  syncDirectory: (name: string, confirm?: string) =>
    call<DirectorySync>("POST", ofDirectory(name, "sync"), confirm === undefined ? {} : { confirm }),
  testDirectory: async (name: string) =>
    (await call<{ findings: DirectoryFinding[] }>("POST", ofDirectory(name, "test"))).findings,
  directoryHistory: async (name: string) =>
    (await call<{ history: DirectorySync[] }>("GET", ofDirectory(name, "history"))).history,
  explainDirectory: (name: string, user: string) =>
    call<DirectoryExplanation>("GET", ofDirectory(name, `explain?user=${encodeURIComponent(user)}`)),
  setPassword: (id: string, password: string, temporary: boolean) =>
    call<void>("PUT", `/api/accounts/${encodeURIComponent(id)}/password`, { password, temporary }),
  renewSecret: (id: string, overlapHours: number) =>
    call<{ secret: string }>("POST", `/api/accounts/${encodeURIComponent(id)}/secret`, { overlapHours }),
  endFormerSecret: (id: string) => call<void>("DELETE", `/api/accounts/${encodeURIComponent(id)}/secret/former`),
  removeAccount: (id: string) => call<void>("DELETE", `/api/accounts/${encodeURIComponent(id)}`),
};

/** Keeps a feed of discovery events open, coming back after an interruption. Returns how to stop. */
export function listen(onEvent: (event: DiscoveryEvent) => void, onReconnect: () => void): () => void {
  let socket: WebSocket | undefined;
  let timer: number | undefined;
  let stopped = false;
  const open = (again: boolean): void => {
    socket = new WebSocket(`wss://${location.host}/api/events`);
    socket.addEventListener("open", () => {
      if (again) onReconnect();
    });
    socket.addEventListener("message", ({ data }) => onEvent(JSON.parse(String(data)) as DiscoveryEvent));
    socket.addEventListener("close", () => {
      if (!stopped) timer = window.setTimeout(() => open(true), 2000);
    });
  };
  open(false);
  return () => {
    stopped = true;
    window.clearTimeout(timer);
    socket?.close();
  };
}

function armingOf(account: string): string {
  return `/api/accounts/${encodeURIComponent(account)}/arming`;
}

function tokensOf(account: string | undefined): string {
  return account === undefined ? "/api/session/tokens" : `/api/accounts/${encodeURIComponent(account)}/tokens`;
}

function ofDirectory(name: string, what: string): string {
  return `/api/directory/${encodeURIComponent(name)}/${what}`;
}
