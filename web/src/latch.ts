import { useState } from 'react'

/** Whether it has ever been so since the view came: what has once been shown is not taken away again. */
export function useLatch(now: boolean): boolean {
  const [was, setWas] = useState(now)
  if (now && !was) setWas(true)
  return now || was
}
