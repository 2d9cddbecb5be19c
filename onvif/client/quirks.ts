import type { XmlElement } from "../../wsdl/xml.ts";

/**
 * Where cameras have their device service when nobody named its address, most usual first. The path is fixed by Core 5.1.1;
 * the ports are those of go2rtc's internal/onvif/README.md, lightNVR's onvif_discovery.c and kerberos-io/agent issue 213.
 */
export const USUAL_DEVICE_PORTS: readonly (readonly ["http" | "https", number])[] = [
  ["http", 80],
  ["https", 443],
  ["http", 8000],
  ["http", 8080],
  ["http", 2020],
  ["http", 8899],
  ["http", 5000],
];

/**
 * An address as it was meant: Dahua puts it on a line of its own inside its element (go2rtc pkg/onvif/onvif_test.go, "Dahua
 * stream formatted"), and some devices escape `&` twice. Line breaks and what stands around them go, `&amp;` becomes `&`
 * once more, control characters go. Undefined when nothing is left.
 */
export function addressIn(element: XmlElement | undefined): string | undefined {
  return addressOf(element?.text ?? "");
}

/** The same of its text alone. */
export function addressOf(written: string): string | undefined {
  const text = written
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .join("")
    .replaceAll("&amp;", "&")
    .replaceAll(/\p{Cc}/gu, "");
  return text === "" ? undefined : text;
}

/**
 * One spelling for each encoding: Media 1 says `H264`, `JPEG`, `MPEG4`, Media 2 uses the names of RTP (`H265`, `MP4V-ES`,
 * `MPEG4-GENERIC`), and devices write them as `H.264`, `h265` or `HEVC`.
 */
export function encodingOf(element: XmlElement | undefined): string | undefined {
  const text = element?.text.trim();
  return text === undefined || text === "" ? undefined : spelledEncoding(text);
}

/** The same of its text alone. */
export function spelledEncoding(written: string): string {
  const text = written.trim().toUpperCase().slice(0, 40);
  const plain = text.replaceAll(/[^A-Z0-9]/g, "");
  if (plain === "HEVC" || plain === "H265") return "H265";
  if (plain === "AVC" || plain === "H264") return "H264";
  return text;
}

/**
 * Whether a fault means that the login is missing or wrong, whatever the code around it says. Core 5.9.1 wants
 * `Sender/NotAuthorized`; cameras also send it as a Receiver fault, under the names of WS-Security
 * (`wsse:FailedAuthentication`), or in the text alone ("Authority failure", "Sender not Authorized": agsh/onvif src/onvif.ts).
 */
export function isLoginFault(fault: { readonly subcodes: readonly string[]; readonly reason: string }): boolean {
  const CODES = ["notauthorized", "failedauthentication", "invalidsecurity", "unauthorized"];
  return (
    fault.subcodes.some((code) => CODES.includes(code.toLowerCase())) ||
    /not\s*authorized|unauthorized|authority failure|authentication fail/i.test(fault.reason)
  );
}
