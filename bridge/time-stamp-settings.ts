import { z } from "zod";

/** Who stamps the time of anchors and exports. */
export const timeStampSchema = z
  .strictObject({
    url: z
      .string()
      .max(1024)
      .refine((text) => isHttp(text), "an address of HTTP or HTTPS, without a user name, password or fragment")
      .describe(
        "Where the authority takes requests (RFC 3161 3.4): `https://tsa.example.org/`. `http://` is usual: what it answers is signed, and what it is sent is a hash.",
      ),
    ca: z
      .string()
      .min(1)
      .describe(
        "File with the certificates (PEM) that whoever stamps must lead to. Not those that this machine trusts: these are for web servers.",
      ),
    serverCa: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the authority of the HTTPS server. Without it, those that this machine trusts.",
      ),
    login: z
      .strictObject({
        user: z
          .string()
          .min(1)
          .max(256)
          .refine((text) => !/[:\p{Cc}]/u.test(text), "no colon and no control characters (RFC 7617 2)")
          .describe("Whom the authority knows us as."),
        passwordFile: z.string().min(1).describe("File with the password of `user`, not readable by all."),
      })
      .optional()
      .describe("HTTP Basic; with `https://` alone."),
  })
  .refine(({ url, login }) => login === undefined || /^https:/i.test(url), {
    message: "no password is sent without encryption: take https, or leave login out",
  });

export type TimeStampSettings = z.output<typeof timeStampSchema>;

function isHttp(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    ["http:", "https:"].includes(url.protocol) &&
    url.username === "" &&
    url.password === "" &&
    url.hash === ""
  );
}
