import { useEffect } from 'react'

/** The heading of a view, also the name of the tab. */
export function PageTitle({ text }: { text: string }) {
  useEffect(() => {
    document.title = text === '' ? 'Homeostat' : `${text} · Homeostat`
  }, [text])
  return <h1 className="page-title">{text}</h1>
}
