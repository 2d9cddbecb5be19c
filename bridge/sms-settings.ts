import { z } from "zod";

const LIMITS = {
  headers: 16,
  countries: 250,
  templateBytes: 4096,
} as const;

/** What is filled in where a message is made of the settings. */
export const SMS_BLANKS = ["to", "digits", "text", "id", "secret"] as const;

export type SmsBlank = (typeof SMS_BLANKS)[number];

/** A blank in a template: `{to}`. */
export const BLANK = /\{([a-z]+)\}/g;

/** Of the connection or the message as a whole, and so not for settings. */
const OWN_HEADERS = /^(?:host|connection|content-.*|transfer-encoding|proxy-.*|expect|upgrade|te|trailer)$/i;

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, "the name of a header")
  .refine((name) => !OWN_HEADERS.test(name), "a header that is not for settings");

/** RFC 9110 5.5, of ASCII. */
const headerValue = z.string().regex(/^[\x20-\x7e]{1,1024}$/, "one line of ASCII");

/** The first digits of numbers, with the country: `+45`. */
const prefix = z.string().regex(/^\+[1-9]\d{0,13}$/, "the first digits of numbers, as +45");

const limit = (fallback: number, most: number, words: string) =>
  z.int().min(1).max(most).default(fallback).describe(words);

/** The gateway that SMS are given to. */
export const smsSchema = z
  .strictObject({
    url: z
      .string()
      .max(1024)
      .refine(isHttps, "an address of HTTPS, without a user name, password, fragment or blanks to fill in")
      .describe(
        "Where the gateway takes messages. No secret belongs here: addresses are written into logs on the way.",
      ),
    method: z.enum(["POST", "PUT"]).default("POST"),
    headers: z
      .record(headerName, headerValue)
      .refine((all) => Object.keys(all).length <= LIMITS.headers, `at most ${LIMITS.headers} headers`)
      .default({})
      .describe('By name, as `Authorization: "Bearer {secret}"`.'),
    user: z
      .string()
      .regex(/^[^:\p{Cc}]{1,256}$/u, "no colon and no control characters (RFC 7617 2)")
      .optional()
      .describe("Whom the gateway knows us as, for HTTP Basic with the secret as the password."),
    secretFile: z
      .string()
      .min(1)
      .optional()
      .describe("File with the secret for `{secret}`, or of `user`, not readable by all. Read for each message."),
    form: z
      .record(z.string().min(1).max(64), z.string().max(1024))
      .optional()
      .describe(
        "What is sent, as fields of a form. In each value `{to}` is the number as `+4512345678`, `{digits}` the same without `+`, `{text}` the message, `{id}` a new identifier, `{secret}` the secret.",
      ),
    json: z
      .json()
      .optional()
      .describe("The same as JSON, in the place of `form`; blanks are filled in inside of its texts."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the gateway's authority. Without it, those that this machine trusts.",
      ),
    pin: z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, "SHA-256 in base64")
      .optional()
      .describe("SHA-256 of the gateway's key (SubjectPublicKeyInfo), base64, instead of an authority."),
    timeoutSeconds: z.number().min(1).max(30).default(10).describe("For the whole of one message."),
    success: z
      .strictObject({
        statuses: z
          .array(z.int().min(200).max(299))
          .min(1)
          .optional()
          .describe(
            "By which HTTP statuses the gateway says that it has taken a message. Default: all from 200 to 299.",
          ),
        contains: z
          .string()
          .min(1)
          .max(256)
          .optional()
          .describe("What its answer has to have in it besides, where it answers 200 whatever comes of a message."),
      })
      .prefault({}),
    countries: z
      .array(prefix)
      .min(1)
      .max(LIMITS.countries)
      .describe(
        "With what numbers begin that are sent codes, as `+45`. Others are sent none: some numbers abroad cost as much as whoever owns them likes.",
      ),
    except: z
      .array(prefix)
      .max(LIMITS.countries)
      .default([])
      .describe(
        "With what those begin that are sent none all the same, as `+4590`: numbers in the country that cost more.",
      ),
    limits: z
      .strictObject({
        personPerHour: limit(5, 100, "Messages to one person within any 60 minutes."),
        personPerDay: limit(10, 500, "Messages to one person within any 24 hours."),
        perHour: limit(50, 5000, "Messages to all people together within any 60 minutes."),
        perDay: limit(200, 5000, "Messages to all people together within any 24 hours: what a day may cost at most."),
      })
      .prefault({})
      .describe(
        "That one is reached is in the log, the audit log and the metrics. Failed messages count, for they may have cost something.",
      ),
  })
  .superRefine((sms, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if ((sms.form === undefined) === (sms.json === undefined)) wrong("form", "give form or json, and not both");
    if (sms.ca !== undefined && sms.pin !== undefined) wrong("pin", "ca or pin, not both");
    const [ofBody, ofHeaders] = [blanksOf([sms.form, sms.json]), blanksOf(sms.headers)];
    for (const blank of [...ofBody, ...ofHeaders])
      if (!(SMS_BLANKS as readonly string[]).includes(blank))
        wrong("form", `nothing is known to fill in for {${blank}}`);
    if (!ofBody.has("text") || (!ofBody.has("to") && !ofBody.has("digits")))
      wrong("form", "what is sent needs {text}, and {to} or {digits}");
    if (["to", "digits", "text"].some((blank) => ofHeaders.has(blank)))
      wrong("headers", "number and text belong into the body alone");
    if (sms.user !== undefined && Object.keys(sms.headers).some((name) => name.toLowerCase() === "authorization"))
      wrong("user", "give user, or a header Authorization, and not both");
    const uses = sms.user !== undefined || ofBody.has("secret") || ofHeaders.has("secret");
    if (uses !== (sms.secretFile !== undefined))
      wrong("secretFile", "give secretFile together with user, or with {secret} where it belongs");
    if (JSON.stringify([sms.form, sms.json]).length > LIMITS.templateBytes) wrong("form", "that is too long");
  });

export type SmsSettings = z.output<typeof smsSchema>;

function isHttps(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "" && !/[{}]/.test(text)
  );
}

/** The names of all blanks in the texts of a value. */
function blanksOf(value: unknown): ReadonlySet<string> {
  if (typeof value === "string") return new Set([...value.matchAll(BLANK)].map(([, name = ""]) => name));
  if (typeof value !== "object" || value === null) return new Set();
  return new Set(Object.values(value).flatMap((one) => [...blanksOf(one)]));
}
