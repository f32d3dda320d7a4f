/** The recorded pictures as class folders in one ZIP file, as `lsspq train --data` reads them. */

/** What no file system of a visitor's takes in a name. */
const FORBIDDEN = /[<>:"/\\|?*\u0000-\u001f]/g;

/**
 * @param {{ name: string, pictures: Blob[] }[]} classes
 * @returns {Promise<Blob>}
 */
export async function archive(classes) {
  // Fetched only by those who export.
  const { zipSync } = await import("../../vendor/fflate.min.js");
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  const taken = new Set();
  for (const { name, pictures } of classes) {
    const folder = folderName(name, taken);
    for (const [i, picture] of pictures.entries()) {
      files[`pictures/${folder}/${String(i + 1).padStart(4, "0")}.jpg`] = new Uint8Array(await picture.arrayBuffer());
    }
  }
  // JPEG files are compressed already.
  return new Blob([zipSync(files, { level: 0 })], { type: "application/zip" });
}

/**
 * A folder's name like that of the class, unlike all before.
 *
 * @param {string} name
 * @param {Set<string>} taken in lower case
 */
function folderName(name, taken) {
  // Hidden folders are passed over, and some systems drop dots and spaces at the end.
  const plain = name.replace(FORBIDDEN, "_").replace(/^\./, "_").replace(/[. ]+$/, "") || "_";
  let folder = plain;
  for (let i = 2; taken.has(folder.toLowerCase()); i++) folder = `${plain} ${i}`;
  taken.add(folder.toLowerCase());
  return folder;
}
