/// Checks JSON values against the schemas of an OpenAPI document, as far as the document of this product uses them.
package struct JSONSchemaCheck {
    private let document: JSONValue

    package init(_ document: JSONValue) {
        self.document = document
    }

    /// The operation of a method and a path.
    package func operation(_ method: String, _ path: String) -> JSONValue? {
        document["paths"]?[path]?[method.lowercased()]
    }

    /// The response of an operation for a status.
    package func response(_ method: String, _ path: String, _ status: Int) -> JSONValue? {
        operation(method, path)?["responses"]?[String(status)]
    }

    /// What is wrong with a value, with the path to each error; empty when nothing is. An object may have no member that its
    /// schema does not name, unless `additionalProperties` is left out.
    package func errors(of value: JSONValue, in schema: JSONValue?, at path: String = "$") -> [String] {
        guard let schema = resolve(schema) else { return ["\(path): there is no schema"] }
        var errors: [String] = []
        if let types = schema["type"].map({ $0.items ?? [$0] })?.compactMap(\.string),
            !types.contains(where: value.isOf)
        {
            errors.append("\(path): is none of \(types)")
        }
        if let constant = schema["const"], constant != value { errors.append("\(path): is not \(constant)") }
        if let values = schema["enum"]?.items, !values.contains(value) { errors.append("\(path): is not in the enum") }
        if case .object(let members) = value {
            for name in schema["required"]?.items?.compactMap(\.string) ?? [] where value[name] == nil {
                errors.append("\(path): lacks \(name)")
            }
            for member in members {
                if let inner = schema["properties"]?[member.name] {
                    errors += self.errors(of: member.value, in: inner, at: "\(path).\(member.name)")
                } else if schema["additionalProperties"] == .bool(false) {
                    errors.append("\(path): has \(member.name)")
                }
            }
        }
        if let items = value.items, let inner = schema["items"] {
            for (index, item) in items.enumerated() {
                errors += self.errors(of: item, in: inner, at: "\(path)[\(index)]")
            }
        }
        return errors
    }

    /// The names of the properties of a schema, in order, with the reference followed.
    package func properties(of schema: JSONValue?) -> [String] {
        resolve(schema)?["properties"]?.keys ?? []
    }

    private func resolve(_ schema: JSONValue?) -> JSONValue? {
        guard let reference = schema?["$ref"]?.string else { return schema }
        return reference.split(separator: "/").dropFirst().reduce(document) { $0?[String($1)] }
    }
}

extension JSONValue {
    fileprivate func isOf(type: String) -> Bool {
        switch self {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number: type == "number" || type == "integer" && integer != nil
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
