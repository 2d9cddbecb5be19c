import { z } from "zod";
import { TOKEN_INTERFACES } from "../auth/api-token.ts";
import { JWT_ALGORITHMS, type JwtAlgorithm } from "../auth/jwt/algorithms.ts";

const LIMITS = {
  issuers: 8,
  audiences: 16,
  /** Accounts that are listed for one issuer. */
  accounts: 2000,
  addressLength: 1024,
} as const;

const text = z.string().min(1).max(256);

const issuer = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .describe("a-z, 0-9 and -; how logs call it."),
    issuer: z.string().min(1).max(LIMITS.addressLength).describe("What stands in `iss`, letter by letter."),
    audiences: z
      .array(text)
      .min(1)
      .max(LIMITS.audiences)
      .describe("One of these must stand in `aud`: a name that the issuer knows this bridge by, and no other service."),
    keysFile: z.string().min(1).optional().describe("File with its public keys (JWKS, RFC 7517 5)."),
    keysUrl: z
      .string()
      .max(LIMITS.addressLength)
      .refine(isHttps, "an address of HTTPS, without a user name, password or fragment")
      .optional()
      .describe("Or where it publishes them: `https://id.example.org/realms/site/protocol/openid-connect/certs`."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the authority of `keysUrl`. Without it, those that this machine trusts.",
      ),
    algorithms: z
      .array(z.enum(Object.keys(JWT_ALGORITHMS) as [JwtAlgorithm, ...JwtAlgorithm[]]))
      .min(1)
      .default(["ES256", "PS256", "RS256"])
      .describe("Those that it signs by; tokens by others are refused."),
    claim: text
      .default("sub")
      .describe("What in a token names the account. People must not be able to change it themselves."),
    accounts: z
      .record(text, z.string().min(1).max(64))
      .refine((all) => Object.keys(all).length <= LIMITS.accounts, `${LIMITS.accounts} at most`)
      .optional()
      .describe(
        "The name of the account for each value of `claim`, and no other is let in. Where absent, the value is the account's name.",
      ),
    interfaces: z
      .array(z.enum(TOKEN_INTERFACES))
      .min(1)
      .default(["api"])
      .describe("Where its tokens are taken, inside TLS alone: `api`, `onvif`, `rtsp`."),
    asksForFactor: z
      .boolean()
      .default(false)
      .describe(
        "It asks people for a second factor, so that those who have one here may come by its tokens; they are refused otherwise.",
      ),
    notBefore: z
      .enum(["required", "optional"])
      .default("required")
      .describe("Whether a token must say from when on it is good (`nbf`), as ONVIF has it. Keycloak's do not."),
    toleranceSeconds: z
      .number()
      .min(0)
      .max(300)
      .default(30)
      .describe("So much may its clock be ahead, for `nbf`. No token is good longer than it says."),
    longestHours: z
      .number()
      .positive()
      .max(8784)
      .default(24)
      .describe("A token that is good for longer is refused: nobody could take it back."),
  })
  .refine(({ keysFile, keysUrl }) => (keysFile === undefined) !== (keysUrl === undefined), {
    message: "give either keysFile or keysUrl",
  })
  .refine(({ keysUrl, ca }) => ca === undefined || keysUrl !== undefined, {
    message: "ca is for keysUrl",
    path: ["ca"],
  });

export type JwtIssuerSettings = z.output<typeof issuer>;

/** The part of the configuration that is about log-ins by JSON Web Tokens. */
export const jwtSchema = z
  .strictObject({
    issuers: z
      .array(issuer)
      .max(LIMITS.issuers)
      .refine((all) => isDistinct(all.map(({ name }) => name)), "two of them have one name")
      .refine((all) => isDistinct(all.map((one) => one.issuer)), "two of them are the same issuer")
      .default([])
      .describe("Whose tokens are taken. Nobody's if empty."),
  })
  .prefault({})
  .describe(
    "Log-in by JSON Web Tokens (RFC 7519) that somebody else has issued. What an account may do is said here, and never by a token.",
  );

function isDistinct(all: readonly string[]): boolean {
  return new Set(all).size === all.length;
}

function isHttps(address: string): boolean {
  const url = URL.parse(address);
  return url?.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "";
}
