import type { MeterRole } from '../core/device.ts'
import type { Device, DeviceField } from '../core/event.ts'

/** What a person changes of a device; null takes it back, an absent field stays. */
export interface DeviceEdit {
  readonly name?: string | null | undefined
  readonly room?: string | null | undefined
  readonly type?: string | null | undefined
  readonly role?: MeterRole | null | undefined
  readonly hidden?: boolean | undefined
}

/** The device with what a person changes. A room or type that a person gives stays, whatever readings say. */
export function edited(known: Device, edit: DeviceEdit): Device {
  const { name, role, hidden, fixed = [], ...rest } = known
  const next = {
    name: edit.name === undefined ? name : (edit.name ?? undefined),
    role: edit.role === undefined ? role : (edit.role ?? undefined),
    hidden: edit.hidden ?? hidden ?? false,
  }
  const isFixed = (field: DeviceField): boolean =>
    edit[field] === undefined ? fixed.includes(field) : edit[field] !== null
  const fields = (['room', 'type'] as const).filter(isFixed)
  return {
    ...rest,
    ...(edit.room === undefined || edit.room === null ? {} : { room: edit.room }),
    ...(edit.type === undefined || edit.type === null ? {} : { type: edit.type }),
    ...(next.name === undefined ? {} : { name: next.name }),
    ...(next.role === undefined ? {} : { role: next.role }),
    ...(next.hidden ? { hidden: true } : {}),
    ...(fields.length > 0 ? { fixed: fields } : {}),
  }
}
