// The headers of published files that `lockstep.json` does not give: Content-Type by extension, Cache-Control by name.
import { isFixed } from "../../core/assets.ts";

const UTF8 = "; charset=utf-8";

/** Text gets its charset, because S3 serves the header as it is and browsers guess without it. */
const TYPES: Readonly<Record<string, string>> = {
  avif: "image/avif",
  bmp: "image/bmp",
  css: `text/css${UTF8}`,
  csv: `text/csv${UTF8}`,
  eot: "application/vnd.ms-fontobject",
  gif: "image/gif",
  glb: "model/gltf-binary",
  gltf: "model/gltf+json",
  gz: "application/gzip",
  htm: `text/html${UTF8}`,
  html: `text/html${UTF8}`,
  ico: "image/x-icon",
  ics: `text/calendar${UTF8}`,
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: `text/javascript${UTF8}`,
  json: "application/json",
  jsonld: "application/ld+json",
  m4a: "audio/mp4",
  map: "application/json",
  md: `text/markdown${UTF8}`,
  mjs: `text/javascript${UTF8}`,
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  rss: "application/rss+xml",
  svg: "image/svg+xml",
  ttf: "font/ttf",
  txt: `text/plain${UTF8}`,
  wasm: "application/wasm",
  wav: "audio/wav",
  webm: "video/webm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xhtml: "application/xhtml+xml",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
};

export function contentTypeOf(key: string): string {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  const extension = dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
  return Object.hasOwn(TYPES, extension) ? (TYPES[extension] ?? "") : "application/octet-stream";
}

/** A year for names that carry a hash of their content; everything else is kept and asked for again each time. */
export function cacheControlOf(key: string): string {
  return isFixed({ key, cacheControl: "" }) ? "public, max-age=31536000, immutable" : "no-cache";
}
