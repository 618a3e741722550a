// The headers that are kept with an object, as an upload or a replacing copy sends them.
import { AwsError } from "../api.ts";

const kept = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-website-redirect-location",
];

/** What is stored of a request's headers; without Content-Type S3 says `binary/octet-stream`. */
export function storedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const stored: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const isMetadata = name.startsWith("x-amz-meta-");
    if (isMetadata) metadataBytes += Buffer.byteLength(name.slice("x-amz-meta-".length)) + Buffer.byteLength(value);
    if (isMetadata || (kept.includes(name) && value !== "")) stored[name] = value;
  }
  if (metadataBytes > 2048) {
    throw new AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400);
  }
  return withoutTransferCoding(stored);
}

// `aws-chunked` is how the body came, not what the object is.
function withoutTransferCoding(stored: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { "content-encoding": encoding, ...others } = stored;
  if (encoding === undefined) return stored;
  const codings = encoding.split(",").map((coding) => coding.trim());
  const own = codings.filter((coding) => coding !== "" && coding !== "aws-chunked");
  return own.length === 0 ? others : { ...others, "content-encoding": own.join(",") };
}
