import { z } from "zod";
import { policyId } from "../auth/grants.ts";

const DOMAINS = 8;

/** The part of the configuration that is about log-ins by NTLM; off where it is absent. */
export const ntlmSchema = z
  .strictObject({
    helper: z
      .string()
      .startsWith("/", "a path that begins with /")
      .default("/usr/bin/ntlm_auth")
      .describe(
        "Samba's program that has a domain controller judge a log-in. It wants winbind on this machine, joined to the domain, and that the bridge may use winbind's privileged pipe: on Debian, that its user is in the group `winbindd_priv`.",
      ),
    binding: z
      .enum(["required", "where-sent"])
      .default("required")
      .describe(
        "`required`: only log-ins that the client has bound to this bridge's certificate (channel binding, Extended Protection), which nobody can hand on from elsewhere. `where-sent`: others too, which whoever receives one can hand on to the bridge (relay).",
      ),
    domains: z
      .array(
        z.strictObject({
          domain: z
            .string()
            .regex(/^[^\\/:*?"<>|\p{Cc}]{1,15}$/u, "the short (NetBIOS) name of a domain, as CORP")
            .describe("Short name of the domain, as it stands before `\\`. Whoever it knows may be let in."),
          directory: policyId.describe(
            "By name, the directory of that very domain, in which its people are looked up.",
          ),
        }),
      )
      .min(1)
      .max(DOMAINS)
      .refine(
        (all) => new Set(all.map((one) => one.domain.toLowerCase())).size === all.length,
        "two of them are the same domain",
      )
      .describe("People of other domains are refused, also where the domain trusts them."),
  })
  .optional()
  .describe(
    "Log-in at the pages by NTLM, for computers of a Windows domain that have no Kerberos ticket. Weaker than Kerberos and than a password inside HTTPS; off where it is absent.",
  );

export type NtlmSettings = NonNullable<z.output<typeof ntlmSchema>>;
