import { isMailAddress } from "./mail-address.ts";

/** By what codes are sent. */
export const SENT_BY = ["mail", "sms"] as const;

export type SentBy = (typeof SENT_BY)[number];

/** Where codes can be sent by one of {@link SENT_BY}. */
interface Destination {
  /** What a person typed, in its plain form; undefined where it is none. */
  readonly read: (text: string) => string | undefined;
  /** For who typed something else. */
  readonly otherwise: string;
  /** Enough to know one's own by, of the plain form. */
  readonly masked: (to: string) => string;
}

export const DESTINATIONS: Readonly<Record<SentBy, Destination>> = {
  mail: {
    read: (text) => (isMailAddress(text) ? text : undefined),
    otherwise: "that is not an e-mail address",
    masked: (to) => `${to.slice(0, 1)}…${to.slice(to.lastIndexOf("@"))}`,
  },
  sms: {
    read: readPhoneNumber,
    otherwise: "that is not a telephone number with its country: write it as +45 12 34 56 78",
    masked: (to) => `${to.slice(0, 3)}…${to.slice(-2)}`,
  },
};

export function isSentBy(kind: string): kind is SentBy {
  return (SENT_BY as readonly string[]).includes(kind);
}

/** As `+4512345678` (E.164: at most 15 digits, of which the first are the country). `00` in front is read as `+`; blanks and hyphens are left out. */
export function readPhoneNumber(text: string): string | undefined {
  const plain = text.replace(/[\s.\-/]/g, "").replace(/^00/, "+");
  return /^\+[1-9]\d{6,14}$/.test(plain) ? plain : undefined;
}
