export const axisBottom: (scale: any) => any;
export const axisLeft: (scale: any) => any;
export const scaleLinear: () => any;
export const scaleLog: () => any;
export const select: (node: Element) => any;
