import { z } from "zod";
import { TOKEN_INTERFACES } from "../auth/api-token.ts";
import { NAMED_BY } from "../auth/certificate/certificate-names.ts";

const LIMITS = {
  authorities: 8,
  /** Accounts that are listed for one authority. */
  accounts: 2000,
} as const;

const text = z.string().min(1).max(256);

const authority = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .describe("a-z, 0-9 and -; how logs call it."),
    ca: z
      .string()
      .min(1)
      .describe(
        "File with the certificates (PEM) of those who sign certificates of clients themselves: of an authority with several levels, the lowest.",
      ),
    crl: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with its list of revoked certificates (RFC 5280 5), PEM or DER: read again when it changes. When it is too old, nobody is let in.",
      ),
    withoutRevocation: z
      .literal(true)
      .optional()
      .describe("Instead of `crl`: its certificates are good until they expire, whoever has got hold of one."),
    namedBy: z
      .enum(NAMED_BY)
      .default("common-name")
      .describe(
        "What of a certificate names the account: CN of the subject, or its one e-mail address or user principal name (Windows) among the alternative names. Whoever asks for a certificate must not be able to choose it.",
      ),
    suffix: z
      .string()
      .max(253)
      .default("")
      .describe("What such a name ends with and is no part of the account's: `@site.test`. Others are refused."),
    accounts: z
      .record(text, z.string().min(1).max(64))
      .refine((all) => Object.keys(all).length <= LIMITS.accounts, `${LIMITS.accounts} at most`)
      .optional()
      .describe(
        "The name of the account for each such name, and no other is let in. Where absent, it is the account's name.",
      ),
    interfaces: z
      .array(z.enum(TOKEN_INTERFACES))
      .min(1)
      .default(["api"])
      .describe("Where its certificates are taken: `api`, `onvif`, `rtsp`."),
  })
  .refine(({ crl, withoutRevocation }) => (crl === undefined) !== (withoutRevocation === undefined), {
    error: "give crl, or withoutRevocation: true where there is no such list",
  });

export type CertificateAuthoritySettings = z.output<typeof authority>;

/** The part of the configuration that is about certificates of clients. */
export const clientCertificatesSchema = z
  .strictObject({
    enabled: z.boolean().default(false),
    authorities: z
      .array(authority)
      .max(LIMITS.authorities)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "two of them have one name")
      .default([])
      .describe("Whose certificates let their holders in besides those that are registered. Nobody's if empty."),
  })
  .refine(({ enabled, authorities }) => enabled || authorities.length === 0, {
    path: ["enabled"],
    error: "clients are not asked for certificates: enabled: true, or take the authorities away",
  })
  .prefault({})
  .describe(
    "Whether clients are asked for a certificate at HTTPS and RTSPS, as a log-in where it is registered with an account, or is of an authority that is listed. Browsers that have one ask their people which to show.",
  );
