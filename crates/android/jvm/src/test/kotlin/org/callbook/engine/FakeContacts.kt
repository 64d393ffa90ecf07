package org.callbook.engine

import org.json.JSONArray
import org.json.JSONObject

/**
 * As much of Android's contacts provider as a sync needs: raw contacts with their rows, versions and dirty flags. What
 * Android does beyond that, the library's own tests have.
 */
class FakeContacts {
    class Raw(val id: Long, val account: JSONObject?) {
        var sourceId: String? = null
        var version = 1L
        var dirty = false
        var deleted = false
        var starred = false
        val rows = sortedMapOf<Long, JSONObject>()
    }

    val raws = sortedMapOf<Long, Raw>()
    private var next = 1L
    var batches = 0

    /** A batch with this text is refused. */
    var refuses: String? = null

    /** A contact that the user saves. */
    fun save(name: String, number: String): Raw {
        val raw = Raw(next++, ACCOUNT)
        raw.dirty = true
        row(raw, "vnd.android.cursor.item/name", mapOf("data1" to name))
        row(raw, "vnd.android.cursor.item/phone_v2", mapOf("data1" to number, "data2" to "2"))
        raws[raw.id] = raw
        return raw
    }

    fun rename(raw: Raw, name: String) {
        val row = raw.rows.values.first { it.getString("mimetype").endsWith("/name") }
        update(row, mapOf("data1" to name))
        raw.dirty = true
        raw.version++
    }

    fun delete(raw: Raw) {
        raw.deleted = true
        raw.dirty = true
        raw.version++
    }

    /** What the phone's own app would show. */
    fun shown(): List<String> = raws.values.filter { !it.deleted }.map { raw ->
        fun first(kind: String) = raw.rows.values
            .filter { it.getString("mimetype").endsWith(kind) }
            .map { it.getJSONArray("data").optString(0) }
        "${first("/name").firstOrNull()}: ${first("/phone_v2").joinToString()}"
    }.sorted()

    private fun row(raw: Raw, mimetype: String, values: Map<String, String?>): Long {
        val id = next++
        raw.rows[id] = JSONObject().put("id", id).put("mimetype", mimetype)
            .put("data", JSONArray(List(15) { JSONObject.NULL }))
        update(raw.rows.getValue(id), values)
        return id
    }

    private fun update(row: JSONObject, values: Map<String, String?>) {
        for ((column, value) in values) {
            if (column == "is_primary") row.put("is_primary", value == "1")
            if (!column.startsWith("data")) continue
            row.getJSONArray("data").put(column.removePrefix("data").toInt() - 1, value ?: JSONObject.NULL)
        }
    }

    /** What a driver answers to what it is asked. */
    fun given(ask: JSONObject): JSONObject = when (val kind = ask.getString("ask")) {
        "heads" -> JSONObject().put("given", "heads").put("heads", JSONArray(raws.values.map(::head)))
        "rows" -> {
            val wanted = ask.getJSONArray("raws").map { (it as Number).toLong() }
            val contacts = wanted.mapNotNull(raws::get).map { raw ->
                head(raw).put("rows", JSONArray(raw.rows.values))
            }
            JSONObject().put("given", "rows").put("contacts", JSONArray(contacts))
        }
        "apply" -> apply(ask.getJSONArray("operations").map { it as JSONObject })
        else -> error("no ask: $kind")
    }

    private fun head(raw: Raw) = JSONObject().put("raw", raw.id).put("account", raw.account)
        .put("source_id", raw.sourceId).put("version", raw.version)
        .put("dirty", raw.dirty).put("deleted", raw.deleted).put("starred", raw.starred)

    private fun values(op: JSONObject): Map<String, String?> =
        op.getJSONObject("values").let { values ->
            values.keySet().associateWith { if (values.isNull(it)) null else values.getString(it) }
        }

    private fun apply(operations: List<JSONObject>): JSONObject {
        batches++
        if (operations.any { refuses?.let(it.toString()::contains) == true }) {
            return JSONObject().put("given", "refused").put("why", "failed")
        }
        val results = mutableListOf<Long>()
        for (op in operations) {
            val raw = if (op.has("raw")) raws[op.getLong("raw")] else null
            val isAt = raw != null && (!op.has("version") || raw.version == op.getLong("version"))
            val result: Long = when (val kind = op.getString("op")) {
                "expect" -> {
                    if (!isAt) return JSONObject().put("given", "refused").put("why", "failed")
                    1
                }
                "insert_raw" -> Raw(next++, op.getJSONObject("account")).let {
                    it.sourceId = op.getString("source_id")
                    it.starred = op.getBoolean("starred")
                    raws[it.id] = it
                    it.id
                }
                "insert_row" -> {
                    val of = op.getJSONObject("of")
                    val id = if (of.has("raw")) of.getLong("raw") else results[of.getInt("operation")]
                    raws.getValue(id).version++
                    row(raws.getValue(id), op.getString("mimetype"), values(op))
                }
                "update_row", "delete_row" -> {
                    val id = op.getLong("row")
                    val owner = raws.values.firstOrNull { id in it.rows }
                    owner?.let { it.version++ }
                    if (kind == "update_row") owner?.let { update(it.rows.getValue(id), values(op)) }
                    else owner?.rows?.remove(id)
                    if (owner == null) 0 else 1
                }
                // Neither makes another VERSION (`observed.tsv` of the library's own fake).
                "set_starred" -> raw?.let { it.starred = op.getBoolean("starred"); 1 } ?: 0
                "set_source_id" -> raw?.let { it.sourceId = op.getString("source_id"); 1 } ?: 0
                "clear_dirty" -> if (isAt) { raw!!.dirty = false; 1 } else 0
                "delete_raw" -> if (isAt) { raws.remove(raw!!.id); 1 } else 0
                else -> error("no operation: $kind")
            }
            results += result
        }
        return JSONObject().put("given", "applied").put("results", JSONArray(results))
    }

    companion object {
        val ACCOUNT: JSONObject = JSONObject().put("name", "ann").put("type", "org.callbook")
    }
}
