import { randomBytes } from "node:crypto";
import type { UnixMillis } from "../base/units.ts";
import type { Arming } from "./arming.ts";
import type { DirectoryLink } from "./directory-link.ts";
import type { Grant } from "./principal.ts";

/** A registered person or system. */
export interface Account {
  /** Random; never used again. */
  readonly id: string;
  readonly name: string;
  /** People have a password of their own and use the pages; integrations have a secret, generated or chosen through ONVIF, and use ONVIF and RTSP. */
  readonly kind: "person" | "integration";
  readonly enabled: boolean;
  /** Ids of roles, whose grants it has besides its own. */
  readonly roles: readonly string[];
  /** Its own. */
  readonly grants: readonly Grant[];
  readonly created: UnixMillis;
  /** A person of a directory, or a system that may what that person may: its roles come and it is out as the directory says. */
  readonly directory?: DirectoryLink;
  /** Of a person whose password somebody else has set: it is good for choosing another at the pages alone. */
  readonly temporaryPassword?: true;
  /** Of an integration that is let in only while it is armed; absent: at any time. */
  readonly arming?: Arming;
}

/** What of an account is changed; what is absent stays. */
export interface AccountChange {
  readonly grants?: readonly Grant[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** 96 random bits in hex. */
export function newId(): string {
  return randomBytes(12).toString("hex");
}
