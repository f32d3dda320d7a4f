/** Reading a ZIP archive whose files are stored as they are. */

/**
 * @param {Buffer} archive
 * @returns {Map<string, Buffer>} the files by their paths, in the archive's order
 */
export function unzip(archive) {
  const files = new Map();
  // The end of the archive says where its list of files is.
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06"));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [method, length, name, extra, comment] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20), ...[28, 30, 32].map((o) => archive.readUInt16LE(at + o))];
    if (method !== 0) throw new Error("a file is compressed");
    const header = archive.readUInt32LE(at + 42);
    const begin = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
    files.set(archive.toString("utf8", at + 46, at + 46 + name), archive.subarray(begin, begin + length));
    at += 46 + name + extra + comment;
  }
  return files;
}
